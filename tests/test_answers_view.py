"""Answers: what the page is sent, and the rows and sentences in a real browser."""

import pytest
from watched import Watched

import waferviz as wv
from waferviz.views.answers import Answers, packed


@pytest.fixture(scope="module")
def answers():
    machine = wv.Machine.preset("wse2", shape=(8, 8))
    return [wv.explain(wv.GEMM[name](8), machine, matrices=(32, 32, 32)) for name in ("cannon", "meshgemm")]


def test_parts_add_up_to_the_cycles_the_page_is_sent(answers):
    for answer in answers:
        found = packed(answer)
        assert sum(found["made"].values()) == found["cycles"] == float(answer.cycles)
        assert found["largest"] == float(answer.largest)


def test_what_has_no_peak_has_none_in_the_table():
    sums = wv.explain(wv.ALLREDUCE["ring"](8), wv.Machine.preset(), matrices=(16,))
    assert packed(sums)["share_of_peak"] is None
    assert isinstance(wv.show(sums), Answers)


def test_what_is_no_answer_is_refused(answers):
    with pytest.raises(ValueError, match="lacks doubled"):
        Answers([answers[0].drop_vars("doubled")])
    with pytest.raises(ValueError, match="5 Datasets: give 1 to 4"):
        Answers([answers[0]] * 5)


@pytest.mark.browser
def test_every_program_says_its_sentence(answers, chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    page = seen.page
    page.goto(wv.show(*answers).handout(tmp_path / "answers.html").as_uri())
    page.get_by_role("button", name="answers for Cannon (barrier)").wait_for()
    assert page.locator(".wv-said").inner_text() == answers[0].attrs["sentence"]
    page.get_by_role("button", name="answers for MeshGEMM (barrier)").click()
    assert page.locator(".wv-said").inner_text() == answers[1].attrs["sentence"]
    table = page.get_by_role("table", name="answers per program").inner_text()
    assert f"{int(answers[1].cycles):,}" in table
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])
