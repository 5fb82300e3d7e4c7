"""The desk: a picture follows its controls, a machine follows its form, a wrong input leaves both as they were."""

import re
import runpy

import numpy as np
import pytest
from watched import Watched

import waferviz as wv
from waferviz.desk import Desk
from waferviz.machine import Machine
from waferviz.published import folder
from waferviz.views.machine_form import MachineForm


def drawn(order):
    return wv.show(wv.roofline(*order.programs, machine=order.machine, matrices=order.matrices))


@pytest.fixture
def desk():
    return Desk(drawn, mesh="4", size="16")


def test_the_picture_follows_every_control(desk):
    for change in ({"mesh": "2x4"}, {"size": "32"}, {"algorithms": ["cannon"]}):
        before = desk._picture.objects
        desk.param.update(**change)
        assert desk._said.value == ""
        assert desk._picture.objects != before


def test_the_picture_follows_the_machine(desk):
    before = desk._picture.objects
    desk.form._fields["hop"].value = 5.0
    assert desk._picture.objects != before
    assert desk.order().machine.relay == 10


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mesh": "many"}, "give a side such as 8"),
        ({"size": "0"}, "size='0': give the side of the matrices"),
        ({"size": "3"}, "more than it has entries"),
        ({"algorithms": []}, "no algorithm is chosen"),
    ],
)
def test_a_wrong_input_says_so_and_leaves_the_picture(desk, change, words):
    before = desk._picture.objects
    desk.param.update(**change)
    assert words in desk._said.value
    assert desk._picture.objects == before


def test_the_picture_is_faded_as_long_as_the_message_stands(desk):
    desk.mesh = "many"
    assert (desk._said.visible, desk._picture.styles) == (True, {"opacity": "0.3"})
    desk.mesh = "2"
    assert (desk._said.visible, desk._picture.styles) == (False, {"opacity": "1"})


def test_more_work_than_the_desk_takes_is_refused_with_what_would_fit():
    desk = Desk(drawn, mesh="4", size="16", algorithms=["cannon"], most=3000)
    desk.mesh = "16"
    assert "a mesh of about 12 a side would fit" in desk._said.value
    desk.mesh = "12"
    assert desk._said.value == ""
    desk.mesh = "2000"
    assert "more than 1,000,000 cores; give a side of up to 1,000" in desk._said.value


def test_several_meshes_and_sizes_are_asked_for_with_commas():
    desk = Desk(drawn, mesh="4, 2x3", size="16, 32")
    assert (desk.order().meshes, desk.order().sizes) == ([4, (2, 3)], [16, 32])


def test_an_untouched_form_is_the_published_machine():
    for name in ("teaching", "wse2", "wse3", "wormhole"):
        assert MachineForm(name).machine() == Machine.preset(name)


def test_numbers_nobody_has_published_can_be_given():
    form = MachineForm("dojo_d1")
    assert form._fields["hop"].value is None
    assert form._fields["hop"].placeholder == "not published"
    assert "hop: not published" in form._said.value
    assert "not published (not published)" not in form._said.value
    form._fields["hop"].value = 2.0
    assert form.machine().hop == 2


def test_a_number_without_limit_says_so():
    routes = MachineForm("wormhole")._fields["routes"]
    assert (routes.value, routes.placeholder) == (None, "no limit")


def test_a_number_no_machine_can_have_is_told(desk):
    desk.form._fields["clock"].value = -1.0
    assert "clock=-1.0; give a finite number, more than zero" in desk._said.value


def test_an_edited_machine_is_saved_and_comes_back(tmp_path):
    form = MachineForm("wse2")
    form._fields["hop"].value = 3.0
    file = tmp_path / "mine.csv"
    file.write_bytes(form._saved().read())
    assert Machine.load(file) == form.machine()
    assert "chosen by the user" in file.read_text()


def test_choosing_another_machine_fills_the_form_anew():
    form = MachineForm("wse2")
    form._fields["hop"].value = 3.0
    form.preset = "wse3"
    assert np.isclose(form._fields["clock"].value, 0.929)
    assert form.machine() == Machine.preset("wse3")


@pytest.mark.parametrize("name", ["budget", "cost", "sweep"])
def test_every_lab_opens_with_a_picture(name):
    desk = runpy.run_path(str(folder("lab") / f"{name}.py"))["desk"]
    assert desk._said.value == ""
    assert desk._picture.objects


@pytest.mark.browser
def test_a_served_lab_follows_its_controls_and_survives_a_wrong_one(chromium, served):
    address = served(["panel", "serve", str(folder("lab") / "budget.py"), "--port", "{port}"], "/budget")
    seen = Watched(chromium)
    page = seen.page
    page.goto(f"{address}/budget")
    page.locator(".wv-card").wait_for()
    field = page.get_by_role("textbox", name="Mesh")
    field.fill("many")
    field.press("Enter")
    said = page.get_by_text("give a side such as 8")
    said.wait_for()
    assert said.evaluate("one => getComputedStyle(one).fontSize") == "16px"
    assert said.bounding_box()["y"] < page.locator(".wv-card").bounding_box()["y"]
    page.get_by_label("Machine", exact=True).select_option("wormhole")
    page.get_by_text("its numbers").click()
    routes = page.get_by_placeholder("no limit").first
    routes.wait_for()
    assert routes.input_value() == ""
    page.get_by_label("Machine", exact=True).select_option("wse2")
    field.fill("16")
    field.press("Enter")
    page.get_by_text("16 x 16 cores").first.wait_for()
    page.get_by_role("button", name=re.compile("R of Cannon")).click()
    page.get_by_text(re.compile("Cannon: 9 of 24 routes")).wait_for()
    assert (seen.wrong, seen.left) == ([], [])
    seen.context.close()
