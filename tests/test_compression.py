"""Rows as bytes: what was asked for, the same everywhere, and nothing but it."""

import io
import os
import subprocess
import sys
import zlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import StandardScaler

import skae
from skae.code_maps import Quantization
from skae.compression import Codec
from skae.compression._frames import FRAME_ROWS, _digits
from skae.compression._quantizer import Quantizer
from skae.compression._tables import LARGEST, Tables
from skae.exceptions import InvalidFileError
from skae.penalties import GaussianKL, gaussian_kl


def fitted(X, n_components=8, **params):
    params = {"hidden_layer_sizes": (16,), "max_iter": 3, "random_state": 0, **params}
    return skae.AutoencoderTransformer(n_components, **params).fit(X)


def mean_error(X, decoded):
    return float(np.square(decoded - X).mean())


@pytest.fixture(scope="module")
def codec(digits):
    return Codec(fitted(digits), digits, error=7.0)


@pytest.fixture(scope="module")
def data(codec, digits):
    """Three frames."""
    return codec.encode(np.tile(digits, (2, 1))[: 2 * FRAME_ROWS + 100])


def mend(data, start, frame):
    """Bytes of one frame with a checksum that is right."""
    header = data[:start]
    checksum = zlib.crc32(frame, zlib.crc32(b"\0", zlib.crc32(header)))
    return header + frame + checksum.to_bytes(4, "little")


# What is asked for.


@pytest.mark.parametrize("error", [6.5, 9.0, 15.0])
def test_error_is_reached(digits, error):
    codec = Codec(fitted(digits), digits, error=error)
    found = mean_error(digits, codec.decode(codec.encode(digits)))
    assert_allclose(found, codec.error, rtol=1e-6)
    assert 0.97 * error < found <= error


@pytest.mark.parametrize("bits", [8.0, 20.0, 60.0])
def test_bits_are_kept(digits, bits):
    codec = Codec(fitted(digits), digits, bits=bits)
    found = 8 * len(codec.encode(digits)) / len(digits)
    assert found == codec.bits
    assert 0.97 * bits < found <= bits


def test_any_transformer_will_do(make, tables):
    transformer = make().fit(tables)
    floor = mean_error(tables, transformer.reconstruct(tables))
    codec = Codec(transformer, tables, error=1.2 * floor)
    decoded = codec.decode(codec.encode(tables))
    assert decoded.shape == tables.shape
    assert mean_error(tables, decoded) <= 1.2 * floor


def test_units_of_codes_and_rows_do_not_matter(make, tables):
    codecs = [Codec(make().fit(f * tables), f * tables, bits=20) for f in (1, 1024)]
    errors = [codec.error for codec in codecs]
    assert_allclose(errors[0], errors[1] / 1024**2, rtol=0.05)
    assert_allclose(*[codec.bits for codec in codecs], rtol=0.05)


def test_steps_follow_the_decoder(tables):
    # What is multiplied by 16 before it is decoded needs finer steps.
    transformer, factor = fitted(tables, 3), np.array([1, 16, 1 / 4])
    codes = transformer.transform(tables)
    plain, scaled = (
        Quantizer.of(codes / f, lambda z, f=f: transformer.inverse_transform(z * f))
        for f in (np.ones(3), factor)
    )
    assert_allclose(plain.steps / scaled.steps, factor, rtol=1e-4)


def test_the_batch_is_the_prior_of_least_divergence():
    rng = np.random.default_rng(0)
    mean, log_variance = (torch.tensor(rng.normal(size=(50, 3))) for _ in range(2))
    network = SimpleNamespace(log_variance=lambda code: log_variance)
    found = GaussianKL(prior="batch")(network, None, mean, None)
    deviation = (mean.var(0, correction=0) + log_variance.exp().mean(0)).sqrt()
    standard = (mean - mean.mean(0)) / deviation, log_variance - 2 * deviation.log()
    assert_allclose(found, gaussian_kl(*standard).sum(1).mean())
    assert found < gaussian_kl(mean, log_variance).sum(1).mean()


def test_bytes_are_close_to_the_entropy():
    rng = np.random.default_rng(0)
    integers = rng.geometric([0.5, 0.1, 0.9], (20_000, 3)) - 3
    shares = [np.unique(column, return_counts=True)[1] for column in integers.T]
    bits = sum(-(n * np.log2(n / n.sum())).sum() for n in shares)
    found = 8 * len(Tables.of(integers).encode(integers))
    assert bits <= found < 1.005 * bits


def test_tables_are_smoothed_for_rows_unseen():
    rng = np.random.default_rng(0)
    few, many = (np.rint(20 * rng.normal(size=(n, 1))).astype(int) for n in (50, 5000))
    found = 8 * len(Tables.of(few).encode(many)) / len(many)
    assert found < np.log2(20 * (2 * np.pi * np.e) ** 0.5) + 0.3


def test_training_for_rounding_pays(digits):
    params = {"hidden_layer_sizes": (64,), "max_iter": 20, "early_stopping": False}
    trained = {"code_map": Quantization(), "penalty": GaussianKL(3.0, prior="batch")}
    plain, rounded = (
        Codec(fitted(digits, 16, **params, **more), digits, bits=16)
        for more in ({}, trained)
    )
    assert rounded.error < 0.95 * plain.error


@pytest.mark.parametrize(
    "params, said",
    [
        ({}, "exactly one"),
        ({"bits": 8, "error": 1.0}, "exactly one"),
        ({"bits": 0}, "a positive number"),
        ({"error": np.nan}, "a positive number"),
        ({"error": 1e-6}, "X has at least .* more components"),
        ({"bits": 1e-6}, "X has at least .* fewer"),
    ],
)
def test_impossible_wishes_are_refused(digits, params, said):
    with pytest.raises(ValueError, match=said):
        Codec(fitted(digits), digits, **params)


# What comes back.


def test_single_rows_are_as_in_a_batch_and_small(codec, digits):
    whole = codec.encode(digits[:200])
    alone = [codec.encode([row]) for row in digits[:200]]
    decoded = np.concatenate([codec.decode(data) for data in alone])
    assert_array_equal(decoded, codec.decode(whole))
    assert np.mean([len(data) for data in alone]) < 17 + len(whole) / 200 + 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(codec, digits, dtype):
    decoded = codec.decode(codec.encode(digits[:3].astype(dtype)))
    assert decoded.dtype == dtype
    assert_allclose(decoded, codec.decode(codec.encode(digits[:3])), rtol=1e-5)


def test_frames_are_checked_as_the_transformer_does(tables):
    frame = pd.DataFrame(tables, columns=list("abcdef"))
    transformer = fitted(frame, 2).set_output(transform="pandas")
    codec = Codec(transformer, frame, bits=20)
    assert codec.decode(codec.encode(frame)).shape == frame.shape
    with pytest.raises(ValueError, match="feature names"):
        codec.encode(frame[list("bacdef")])
    with pytest.raises(ValueError, match="0 sample"):
        codec.encode(frame[:0])
    with pytest.raises(ValueError, match="infinity"):
        codec.encode(frame.assign(a=np.inf))


@pytest.mark.parametrize("factor", [10.0, 1e4, 1e9])
def test_rows_unlike_any_seen_are_decoded_exactly(codec, digits, factor):
    rows = np.concatenate([digits[:3], factor * digits[3:6], -factor * digits[6:9]])
    integers = codec.quantizer.integers(codec.transformer.transform(rows))
    expected = codec.transformer.inverse_transform(codec.quantizer.codes(integers))
    assert_array_equal(codec.decode(codec.encode(rows)), expected)


@pytest.mark.parametrize("largest", [2**15, 2**16, 2**33, LARGEST])
def test_escaped_integers_are_exact(largest):
    tables = Tables.of(np.arange(-5, 6).reshape(-1, 1))
    integers = np.array(
        [[0], [largest], [-largest], [largest - 1], [3], [-largest + 1]]
    )
    assert_array_equal(tables.decode(tables.encode(integers), 6), integers)


def test_rows_too_far_away_are_refused(codec, digits):
    with pytest.raises(ValueError, match="row 1"):
        codec.encode([digits[0], 6e13 * digits[1]])


def test_constant_components_cost_nothing(tables):
    constant = np.ones((60, 4))
    codec = Codec(fitted(constant, 2), constant, bits=10)
    assert len(codec.encode(constant)) < 30
    assert_allclose(codec.decode(codec.encode(constant)), constant, atol=1e-6)


def test_a_new_fit_leaves_the_codec(tables):
    transformer = fitted(tables, 2)
    codec = Codec(transformer, tables, bits=20)
    data, decoded = codec.encode(tables), codec.decode(codec.encode(tables))
    transformer.set_params(random_state=1).fit(2 * tables)
    assert codec.encode(tables) == data
    assert_array_equal(codec.decode(data), decoded)


# Both ends.


def test_halves_do_what_the_whole_does(codec, digits):
    encoder, decoder = codec.encoder, codec.decoder
    assert encoder.encode(digits) == codec.encode(digits)
    data = codec.encode(digits)
    assert_array_equal(decoder.decode(data), codec.decode(data))
    assert not hasattr(encoder, "decode") and not hasattr(decoder, "encode")
    assert encoder.pairing_id == decoder.pairing_id == codec.pairing_id


@pytest.mark.parametrize("part", ["encoder", "decoder", None])
def test_saved_parts_are_the_same(codec, digits, part):
    saved = codec if part is None else getattr(codec, part)
    file = io.BytesIO()
    saved.save(file)
    file.seek(0)
    loaded, data = skae.load(file), codec.encode(digits)
    assert loaded.pairing_id == codec.pairing_id
    if part != "decoder":
        assert loaded.encode(digits) == data
    if part != "encoder":
        assert_array_equal(loaded.decode(data), codec.decode(data))


def test_bytes_of_other_encoders_are_refused(codec, digits):
    transformer = codec.transformer
    others = [
        Codec(transformer, digits, error=8.0),
        Codec(fitted(digits, random_state=1), digits, error=8.0),
    ]
    for other in others:
        with pytest.raises(InvalidFileError, match=other.pairing_id):
            codec.decode(other.encode(digits[:2]))


_ELSEWHERE = """
import sys
from pathlib import Path
import numpy as np
import torch
import skae.compression
from skae.compression import _frames
torch.set_num_threads(int(sys.argv[2]))
folder = Path(sys.argv[1])
codec = skae.load(folder / "codec.skae")
data = (folder / "here").read_bytes()
(folder / "there").write_bytes(codec.encode(np.load(folder / "X.npy")))
np.save(folder / "rows.npy", codec.decode(data))
np.save(folder / "integers.npy", np.concatenate([
    codec.tables.decode(frame, n_rows)
    for frame, n_rows in zip(_frames.read(data, codec.pairing_id).frames, (1024, 773))
]))
"""


@pytest.mark.parametrize("n_threads", [1, 2])
def test_integers_are_the_same_on_other_machines(codec, digits, tmp_path, n_threads):
    data = codec.encode(digits)
    codec.save(tmp_path / "codec.skae")
    np.save(tmp_path / "X.npy", digits)
    (tmp_path / "here").write_bytes(data)
    # Other vector units, which round differently.
    env = {**os.environ, "ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}
    command = [sys.executable, "-c", _ELSEWHERE, str(tmp_path), str(n_threads)]
    subprocess.run(command, check=True, env=env)
    integers = codec.quantizer.integers(codec.transformer.transform(digits))
    assert_array_equal(np.load(tmp_path / "integers.npy"), integers)
    assert_allclose(np.load(tmp_path / "rows.npy"), codec.decode(data), atol=1e-4)
    # The other way round; a code in the middle of two integers may become either.
    here = codec.decode((tmp_path / "there").read_bytes())
    differs = np.abs(here - codec.decode(data)).max(axis=1) > 1e-4
    assert differs.mean() < 0.01


# Damage.


def test_lost_frames_are_named_and_the_others_returned(codec, data):
    whole, damaged = codec.decode(data), bytearray(data)
    damaged[len(data) // 2] ^= 1
    cut = data[: len(data) // 2]
    for changed, end in ((damaged, 2048), (cut, 2148)):
        with pytest.raises(InvalidFileError, match=r"rows 1024 to 2047.* of 2148"):
            codec.decode(changed)
        decoded = codec.decode(changed, errors="nan")
        is_lost = np.isnan(decoded).all(axis=1)
        assert_array_equal(np.flatnonzero(is_lost), np.arange(1024, end))
        assert_array_equal(decoded[~is_lost], whole[~is_lost])
    with pytest.raises(ValueError, match="errors='ignore'"):
        codec.decode(data, errors="ignore")


@given(draw=st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_bytes_are_refused_or_right(codec, digits, draw):
    whole = codec.encode(digits[:3])
    expected = codec.decode(whole)
    kind = draw.draw(st.sampled_from(["mutated", "cut", "extended", "anything"]))
    changed = bytearray(whole)
    if kind == "mutated":
        for _ in range(draw.draw(st.integers(1, 4))):
            i = draw.draw(st.integers(0, len(whole) - 1))
            changed[i] = draw.draw(st.integers(0, 255))
    elif kind == "cut":
        changed = changed[: draw.draw(st.integers(0, len(whole) - 1))]
    elif kind == "extended":
        changed += draw.draw(st.binary(min_size=1))
    else:
        changed = draw.draw(st.binary())
    for errors in ("raise", "nan"):
        try:
            decoded = codec.decode(changed, errors=errors)
        except InvalidFileError:
            assert bytes(changed) != whole
        else:
            assert_array_equal(decoded, expected)


@given(frame=st.binary(max_size=80))
@settings(max_examples=300, deadline=None)
def test_forged_bytes_are_refused_or_rows(codec, digits, frame):
    # Whoever knows the format can write a right checksum.
    forged = mend(codec.encode(digits[:50]), 13, frame)  # bytes of the header
    try:
        assert codec.decode(forged).shape == (50, 64)
    except InvalidFileError:
        pass


@pytest.mark.parametrize("n_rows", [1025, 10**12, 2**62 - 1])
def test_claims_of_many_rows_are_refused(codec, n_rows):
    header = b"skc\x01" + bytes.fromhex(codec.pairing_id) + _digits(2 * n_rows)
    for errors in ("raise", "nan"):
        with pytest.raises(InvalidFileError):
            codec.decode(mend(header, len(header), bytes(1000)), errors=errors)


def test_what_is_missing_or_wrong_is_named(codec, digits, monkeypatch):
    with pytest.raises(TypeError, match="StandardScaler"):
        Codec(StandardScaler().fit(digits), digits, bits=8)
    monkeypatch.setitem(sys.modules, "constriction", None)
    with pytest.raises(ImportError, match=r"pip install constriction"):
        codec.encode(digits[:1])
