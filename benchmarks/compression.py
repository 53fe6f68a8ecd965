"""Do codes take fewer bytes than those of PCA and files of images, at equal errors?"""

import io
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from benchmarks import data, machine
from benchmarks.report import Report
from skae import AutoencoderTransformer
from skae.code_maps import Quantization
from skae.compression import Codec
from skae.compression._choice import encoded
from skae.compression._quantizer import Quantizer
from skae.compression._tables import Tables
from skae.penalties import GaussianKL

HELD_OUT = 0.2
# Strengths of what bytes cost while training, one model each: for pixels, whose loss is
# in nats itself, and, times the root of the number of features, for others.
PIXEL_BETAS = 0.06, 0.2, 0.7
BETAS = 0.07, 0.17, 0.4
# Errors that the codecs are made for, in errors of codes that are not rounded.
ERRORS = 1.3, 1.8
PCA_SIZES = 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256
PCA_STEPS = np.geomspace(0.02, 1.2, 12)  # in deviations of the first component
WINDOW, STRIDE = 144, 6  # readings: 12 hours, and half an hour
TABLES = "30_satellite", "28_pendigits"
JPEG_QUALITIES = 1, 5, 10, 20, 35, 50, 75, 90, 95
GREY_LEVELS = 2, 3, 4, 6, 8, 16, 32, 256


def run(directory, quick):
    """The report on bytes at equal errors."""
    report = Report("Do codes take fewer bytes than PCA's for the same error?")
    for name, X_train, X_test, side in _sets(directory, quick):
        # Pixels are in [0, 1], as files of images have them.
        bounds = (0, 1) if side else (-np.inf, np.inf)
        seconds, rates = _rates(X_train, X_test, bounds, bool(side), quick)
        pca = _pca_curve(X_train, X_test, bounds)
        others = _image_curves(X_test, side) if side else {}
        _report_set(report, name, rates, pca, others)
        report.notes.append(
            f"{name}: {len(X_train):,} rows of {X_train.shape[1]} to train on, "
            f"{len(X_test):,} held out; {seconds:.0f} s of training for "
            f"{len(rates)} rates."
        )
    return report


def _sets(directory, quick):
    """Name, training rows, held-out rows, and the side of images or None."""
    images = data.images(directory)[-1]
    if quick:
        images = images.capped(data.QUICK_ROWS)
    order = np.random.default_rng(0).permutation(len(images.X))
    X = images.X[order].astype(np.float32)
    n_test = round(HELD_OUT * len(X))
    side = round(X.shape[1] ** 0.5)
    yield images.name, X[:-n_test], X[-n_test:], side
    if directory is None or quick:
        return
    folder = Path(directory, machine.FOLDER)
    if folder.is_dir():
        series, _ = machine._load(folder)
        # Halves of the windows at the border are in neither.
        border = round((1 - HELD_OUT) * len(series))
        values = series.to_numpy()[:, None]
        scaler = StandardScaler().fit(values[:border])
        parts = values[:border], values[border:]
        train, test = (_windows(scaler.transform(part)[:, 0]) for part in parts)
        yield "machine_temperature", train, test, None
    for table in data.tables(directory):
        if table.name in TABLES:
            train, test, *_ = table.capped(data.MAX_ROWS).split(0)
            yield table.name, train, test, None


def _windows(series):
    windows = np.lib.stride_tricks.sliding_window_view(series, WINDOW)
    return np.ascontiguousarray(windows[::STRIDE], np.float32)


def _rates(X_train, X_test, bounds, is_image, quick):
    """Seconds of training, and (bytes of a row, error, bytes of a row alone)."""
    seconds, rates = 0.0, []
    scaled = [beta * X_train.shape[1] ** 0.5 for beta in BETAS]
    betas = PIXEL_BETAS if is_image else scaled
    for beta in betas[:1] if quick else betas:
        start = perf_counter()
        transformer = AutoencoderTransformer(
            min(96, X_train.shape[1]),
            code_map=Quantization(),
            penalty=GaussianKL(beta, prior="batch"),
            loss="log_loss" if is_image else "squared_error",
            hidden_layer_sizes=(512, 256),
            learning_rate=1e-2,
            weight_decay=1.0,
            max_iter=10 if quick else 50,
            early_stopping=False,
            random_state=0,
        ).fit(X_train)
        seconds += perf_counter() - start
        least = _error(transformer.reconstruct(X_train), X_train)
        for factor in ERRORS:
            codec = Codec(transformer, X_train, error=factor * least)
            encoder, decoder = codec.encoder, codec.decoder
            found = encoder.encode(X_test)
            error = _error(decoder.decode(found).clip(*bounds), X_test)
            alone = [len(encoder.encode(row[None])) for row in X_test[:200]]
            rates.append((len(found) / len(X_test), error, float(np.mean(alone))))
    return seconds, sorted(rates)


def _pca_curve(X_train, X_test, bounds):
    """Bytes of a row and errors of PCA's codes, by the codec's own coder."""
    pca = PCA(random_state=0).fit(X_train)
    train, test = pca.transform(X_train), pca.transform(X_test)
    found = []
    for k in sorted({min(k, X_train.shape[1]) for k in PCA_SIZES}):
        for step in PCA_STEPS * train[:, 0].std():
            quantizer = Quantizer(np.zeros(k), np.full(k, float(step)))
            tables = Tables.of(quantizer.integers(train[:, :k]))
            integers = quantizer.integers(test[:, :k])
            size = len(encoded(integers, tables, True, "0" * 16)) / len(X_test)
            codes = quantizer.codes(integers)
            decoded = codes @ pca.components_[:k] + pca.mean_
            found.append((size, _error(decoded.clip(*bounds), X_test)))
    return found


def _image_curves(X, side):
    """Bytes of a row and errors of files of images, each alone and all in one.

    What is written without a loss has fewer levels of grey for fewer bytes.
    """
    import zstandard
    from PIL import Image

    images = np.rint(255 * X).astype(np.uint8).reshape(-1, side, side)

    def png(image):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG", optimize=True)
        return file.getvalue(), image

    def jpeg(image, quality):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality, optimize=True)
        return file.getvalue(), np.asarray(Image.open(file))

    def zstd(image):
        return zstandard.ZstdCompressor(level=19).compress(image.tobytes()), image

    greys = [
        np.rint(np.rint(images / 255 * (n - 1)) * (255 / (n - 1))).astype(np.uint8)
        for n in GREY_LEVELS
    ]
    jpegs = [lambda image, q=q: jpeg(image, q) for q in JPEG_QUALITIES]
    curves = {}
    for name, ways in {
        "zstd": [(zstd, grey) for grey in greys],
        "PNG": [(png, grey) for grey in greys],
        "JPEG": [(way, images) for way in jpegs],
    }.items():
        curves[f"{name}, each"] = [
            _file_rate(way, given[:100], images[:100]) for way, given in ways
        ]
        n = int(len(images) ** 0.5) ** 2  # a square of images in one file
        curves[f"{name}, all"] = [
            _file_rate(way, [_mosaic(given[:n])], [_mosaic(images[:n])], n)
            for way, given in ways
        ]
    return curves


def _mosaic(images):
    side, rows = images.shape[1], int(len(images) ** 0.5)
    tiles = images.reshape(rows, rows, side, side)
    return np.ascontiguousarray(tiles.swapaxes(1, 2).reshape(rows * side, rows * side))


def _file_rate(way, given, wanted, n_rows=None):
    """Bytes of an image and the error of what comes back."""
    files, decoded = zip(*map(way, given), strict=True)
    size = sum(map(len, files)) / (n_rows or len(given))
    return size, _error(np.stack(decoded) / 255, np.stack(wanted) / 255)


def _error(decoded, X):
    return float(np.square(decoded - X, dtype=np.float64).mean())


def _bytes_at(curve, error):
    """Bytes of the best of a curve at an error, or None where it doesn't reach."""
    best, least = [], np.inf
    for size, found in sorted(curve):
        if found < least:
            best.append((np.log(size), found))
            least = found
    sizes, errors = np.array(best)[::-1].T
    if not errors[0] <= error <= errors[-1]:
        return None
    return float(np.exp(np.interp(error, errors, sizes)))


def _report_set(report, name, rates, pca, others):
    rows, ratios, of_files = [], [], []
    for size, error, alone in rates:
        of_pca = _bytes_at(pca, error)
        files = [_bytes_at(curve, error) for curve in others.values()]
        ratio = None if of_pca is None else size / of_pca
        ratios.append(ratio)
        of_files += [size / file for file in files if file is not None]
        rows.append([error, size, alone, of_pca, ratio, *files])
    report.table(
        f"Bytes of a row at equal errors, {name}",
        ["squared error", "skae", "skae, alone", "PCA", "ratio to PCA", *others],
        rows,
        "Mean squared errors of held-out rows and all their bytes, headers and "
        "checksums included, models excluded; 'alone': a row in bytes of its own. "
        "PCA's codes are rounded and written by the same coder, with the number of "
        "components and the step that are best for these very rows, interpolated."
        + " What is decoded is cut off at the range of pixels, for both. Files of "
        "images at an error as large, where they have any: 'all' are in one; where "
        "they are written without a loss, with fewer levels of grey." * bool(others),
    )
    if others:
        found = [ratio for ratio in ratios if ratio is not None]
        report.bar(f"{name}: largest ratio of bytes to PCA's", max(found), 0.6)
        title = f"{name}: geometric mean of these ratios"
        report.bar(title, float(np.exp(np.mean(np.log(found)))), 0.6)
        title = f"{name}: largest ratio of bytes to the smallest files'"
        report.bar(title, max(of_files, default=None), 1.0)
