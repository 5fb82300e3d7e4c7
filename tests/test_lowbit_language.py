"""The ternary language model: lookups equal integers bit for bit, it writes words, and what is stored is what was trained."""

import numpy as np
import pytest

from waferviz import table
from waferviz.lowbit import FORMATS, language, pack, transformer, unpack
from waferviz.lowbit.language import KERNELS, MATRICES, generate, load, loss, read, zeros
from waferviz.published import path

TEXT = path("ternary/held_out.txt").read_text()
LOOKUPS = [name for name in KERNELS if name != "reference"]


@pytest.fixture(scope="module")
def model():
    return load()


@pytest.mark.parametrize("kernel", LOOKUPS)
def test_logits_are_those_of_the_integer_reference_bit_for_bit(model, kernel):
    ids = model.ids(TEXT[:24])
    found, expected = (read(model, ids, kernel=name)[0] for name in (kernel, "reference"))
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("kernel", LOOKUPS)
def test_text_is_the_same_token_for_token(kernel):
    for temperature in (0, 0.8):
        said = {
            k: generate("The whale", 12, temperature=temperature, kernel=k) for k in (kernel, "reference")
        }
        assert said[kernel] == said["reference"]


def test_a_wrong_sum_of_lookups_is_noticed(model, monkeypatch):
    right = KERNELS["lut"]

    def wrong(codes, w):
        found = right(codes, w)
        found[-1, 0] += 1
        return found

    monkeypatch.setitem(transformer.KERNELS, "lut", wrong)
    ids = model.ids("whale")
    assert not np.array_equal(read(model, ids)[0], read(model, ids, kernel="reference")[0])


def test_one_character_at_a_time_reads_like_all_at_once(model):
    ids = model.ids(TEXT[:30])
    first, past = read(model, ids[:11], kernel="reference")
    rest, last = read(model, ids[11:], past, kernel="reference")
    np.testing.assert_allclose(
        np.concatenate([first, rest]), read(model, ids, kernel="reference")[0], atol=1e-3
    )
    assert last.seen == 30


def test_it_looks_back_on_so_many_characters_and_no_further():
    model = load("full")
    for start in (0, 50):
        _, past = read(model, model.ids(TEXT[start : start + 150]))
        assert past.held[0][0].shape[1] == model.context
        assert past.seen == 150
    far, near = (read(model, model.ids(extra + TEXT[:600]))[0][-1] for extra in ("", "Zounds! "))
    np.testing.assert_allclose(far, near, atol=1e-3)


def test_it_writes_words():
    """Most words of a sample are words of the text that was held out, or of the sample's own kind."""
    known = set("".join(c if c.isalpha() else " " for c in TEXT.lower()).split())
    said = generate("Call me Ishmael. ", 240, temperature=0.5, kernel="reference")
    words = "".join(c if c.isalpha() else " " for c in said.lower()).split()[:-1]
    assert len(words) > 40
    assert np.mean([word in known for word in words]) > 0.7


def test_a_seed_is_a_text():
    same = [generate("The ", 20, temperature=1, seed=seed, kernel="reference") for seed in (1, 1, 2)]
    assert same[0] == same[1] != same[2]
    assert generate("The ", 0) == ""


def test_matrices_are_ternary_and_survive_packing(model):
    for layer in model.layers:
        for name in MATRICES:
            w = layer[name].w
            assert set(np.unique(w)) == {-1, 0, 1}
            for kind in ("tl1", "tl2"):
                assert np.array_equal(unpack(pack(w, FORMATS[kind]), FORMATS[kind], w.shape), w)


def test_five_bits_hold_three_weights(model):
    weights = sum(m.w.size for layer in model.layers for m in layer.values())
    assert model.bytes == weights * 5 // 3 // 8
    assert load("full").bytes == 2 * weights
    assert model.parameters == load("full").parameters


def test_shares_of_zeros_are_those_of_the_training(model):
    last = table("ternary_zeros").to_dataframe().query("step == step.max()")
    parts = {"attend": ("query", "key", "value"), "out": ("out",), "widen": ("gate", "up"), "down": ("down",)}
    for name, found in zeros(model).items():
        rows = last[last.matrix.isin(parts[name])]
        np.testing.assert_allclose(found, rows.groupby("layer").zeros.mean(), atol=2e-4)
        assert ((found > 0.2) & (found < 0.6)).all()


@pytest.mark.parametrize("kind", ["ternary", "full"])
def test_the_loss_is_the_one_of_the_training(kind):
    """Over a few of its windows; guessing among the characters that there are would cost more than 4 nats."""
    rows = table("ternary_loss").to_dataframe().query("network == @kind").sort_values("step")
    found = loss(load(kind), TEXT[: 129 * 12], kernel="reference")
    assert abs(found - rows.held_out.iloc[-1]) < 0.15
    assert rows.held_out.iloc[0] > 4
    assert rows.held_out.iloc[-1] < 1.7


def test_the_twin_is_not_rounded():
    assert all(
        m.scale is None and m.w.dtype == np.float32 for layer in load("full").layers for m in layer.values()
    )
    assert generate("The", 5, kind="full", kernel="lut") == generate(
        "The", 5, kind="full", kernel="reference"
    )


def test_the_package_names_the_module():
    import waferviz.lowbit

    assert waferviz.lowbit.language is language


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: generate(""), "prompt=''"),
        (lambda: generate("Café"), "'é' at character 3"),
        (lambda: generate("a", -1), "tokens=-1"),
        (lambda: generate("a", 2.5), "tokens=2.5"),
        (lambda: generate("a", temperature=-1), "temperature=-1"),
        (lambda: generate("a", temperature=float("nan")), "temperature=nan"),
        (lambda: generate("a", 1, kernel="mad"), "kernel='mad'.*'lut'"),
        (lambda: generate("a", 1, kind="binary"), "kind='binary'"),
        (lambda: loss(load(), "too short"), "9 characters"),
    ],
)  # fmt: skip
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()
