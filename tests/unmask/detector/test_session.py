"""Model files are opened as their manifest names them, with what was tuned in its place."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

from tests.models import CLIP_TOKENS, clip_tower, sha256
from unmask.detector import session as module
from unmask.detector.session import int8_overflows, open_session, read_checked
from unmask.errors import UnmaskError

OPTION = "session.x64quantprecision"


@pytest.fixture
def tower(tmp_path: Path) -> Path:
    (tmp_path / "tower.onnx").write_bytes(clip_tower())
    return tmp_path / "tower.onnx"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The options of the sessions that are opened."""
    seen: list[Any] = []
    plain = onnxruntime.InferenceSession

    def noted(data: bytes, options: Any, **more: Any) -> Any:
        seen.append(options)
        return plain(data, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", noted)
    yield seen


def image() -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).uniform(-1, 1, (2, 224, 224, 3)).astype(np.float32)


def means(session: Any) -> npt.NDArray[np.float32]:
    (tokens,) = session.run([CLIP_TOKENS[0]], {"image": image()})
    return np.asarray(tokens[:, 0, 0])


def test_weights_take_the_places_of_the_files_own(tower: Path) -> None:
    digest = sha256(clip_tower())
    assert (means(open_session(tower, digest)) == 0).all()
    colours = np.array([[3.0], [-2.0], [0.5]], np.float32)
    wanted = (image() @ colours).mean(axis=(1, 2, 3))
    found = means(open_session(tower, digest, weights={"tuned": colours}))
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert (means(open_session(tower, digest, weights={})) == 0).all()


def test_weights_live_as_long_as_the_session(tower: Path) -> None:
    """The session reads them where they lie, also after its caller has dropped them."""

    def opened() -> Any:
        weights = {"tuned": np.asfortranarray(np.full((3, 1), 2.0, np.float32))}
        return open_session(tower, sha256(clip_tower()), weights=weights)

    session = opened()
    first = means(session)
    gc.collect()
    rubbish = [np.full((3, 1), 99.0, np.float32) for _ in range(2000)]
    np.testing.assert_array_equal(means(session), first)
    np.testing.assert_allclose(first, 2 * image().sum(axis=3).mean(axis=(1, 2)), atol=1e-5)
    assert len(rubbish) == 2000


def test_threads_are_bounded(tower: Path, asked: list[Any]) -> None:
    open_session(tower, sha256(clip_tower()), threads=3)
    assert asked[-1].intra_op_num_threads == 3
    assert asked[-1].inter_op_num_threads == 1
    assert asked[-1].get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_products_of_8_bits_are_whole_on_any_processor() -> None:
    """With VNNI as they come; without, because the session is told to multiply in another way."""
    session = open_session(module.PROBE, sha256(module.PROBE.read_bytes()))
    left = np.full((1, module.PROBE_TERMS), 255, np.uint8)
    (product,) = session.run(None, {"left": left})
    np.testing.assert_array_equal(product, np.full((1, 16), module.PROBE_RESULT))


def test_a_processor_that_overflows_is_known_by_its_wrong_sum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PROBE_RESULT", module.PROBE_RESULT + 1)
    int8_overflows.cache_clear()
    try:
        assert int8_overflows() is True
    finally:
        int8_overflows.cache_clear()


@pytest.mark.parametrize("overflows", [False, True])
def test_only_such_a_processor_multiplies_otherwise(
    tower: Path, asked: list[Any], monkeypatch: pytest.MonkeyPatch, overflows: bool
) -> None:
    monkeypatch.setattr(module, "int8_overflows", lambda: overflows)
    session = open_session(tower, sha256(clip_tower()), weights={"tuned": np.ones((3, 1), "f4")})
    (options,) = asked
    if overflows:
        assert options.get_session_config_entry(OPTION) == "1"
    else:
        with pytest.raises(RuntimeError, match=OPTION):
            options.get_session_config_entry(OPTION)
    np.testing.assert_allclose(means(session), image().sum(axis=3).mean(axis=(1, 2)), atol=1e-5)


def test_the_probe_is_asked_once(monkeypatch: pytest.MonkeyPatch, tower: Path) -> None:
    int8_overflows()
    monkeypatch.setattr(module, "PROBE", tower.with_name("gone.onnx"))
    int8_overflows()


def test_a_file_is_what_its_manifest_says(tower: Path) -> None:
    assert read_checked(tower, sha256(clip_tower())) == clip_tower()
    with pytest.raises(UnmaskError) as altered:
        read_checked(tower, "0" * 64)
    assert altered.value.code == "model_mismatch"
    assert "tower.onnx" in str(altered.value)
    with pytest.raises(UnmaskError) as missing:
        read_checked(tower.with_name("gone.onnx"), "0" * 64)
    assert missing.value.code == "model_missing"
    with pytest.raises(UnmaskError):
        open_session(tower, "0" * 64)


def test_a_file_that_is_no_model_is_told_by_its_digest(tower: Path) -> None:
    """ONNX Runtime opens it meanwhile, and fails in its own words."""
    tower.write_bytes(b"no model")
    with pytest.raises(UnmaskError) as altered:
        open_session(tower, sha256(clip_tower()))
    assert altered.value.code == "model_mismatch"
    with pytest.raises(Exception, match="protobuf"):
        open_session(tower, sha256(b"no model"))
