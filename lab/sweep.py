"""The sweep lab as an app: `panel serve lab/sweep.py`."""

import panel as pn

from waferviz import show, sweep
from waferviz.desk import Desk, Order

pn.extension()


def picture(order: Order) -> object:
    """Who wins on which square mesh with which matrix, under both schedules."""
    if not all(isinstance(mesh, int) for mesh in order.meshes):
        raise ValueError("a sweep is over square meshes: give sides such as 16, 64, 256")
    return show(sweep(mesh=order.meshes, matrix=order.sizes, machine=order.machine, algorithm=order.names))


desk = Desk(picture, mesh="16, 32, 64, 128, 256, 360, 512, 720", size="720, 1440, 2048, 4096, 8192")
desk.servable(title="waferviz: which algorithm, when?")
