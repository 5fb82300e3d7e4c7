"""The cost lab as an app: `panel serve lab/cost.py`."""

import panel as pn

from waferviz import explain, roofline, show, timeline
from waferviz.desk import Desk, Order

pn.extension()


def pictures(order: Order) -> list[object]:
    """Where the cycles go under both schedules, which number would change it, and what limits the rate."""
    runs = [
        timeline(program, order.machine, schedule=schedule, matrices=order.matrices)
        for program in order.programs
        for schedule in ("barrier", "dataflow")
    ]
    answers = [
        explain(program, order.machine, schedule=schedule, matrices=order.matrices)
        for program in order.programs[:2]
        for schedule in ("barrier", "dataflow")
    ]
    roofs = roofline(*order.programs, machine=order.machine, matrices=order.matrices)
    return [show(*runs), show(*answers), show(roofs)]


desk = Desk(pictures, algorithms=["cannon", "meshgemm"], mesh="64", size="128", most=1.5e7)
desk.servable(title="waferviz: where do the cycles go?")
