"""The budget lab as an app: `panel serve lab/budget.py`."""

import panel as pn

from waferviz import check, show
from waferviz.desk import Desk, Order

pn.extension()


def picture(order: Order) -> object:
    """A card of four letters with a column per program."""
    return show(*(check(program, order.machine, matrices=order.matrices) for program in order.programs))


desk = Desk(picture, mesh="64", size="512")
desk.servable(title="waferviz: does it fit?")
