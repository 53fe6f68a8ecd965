"""Do codes find similar rows better than those of PCA of as many bytes?"""

from copy import copy
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np
import torch
from sklearn import decomposition
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from benchmarks import data
from benchmarks.peers import Transformer, pca
from benchmarks.report import Report
from benchmarks.timing import interleaved, seconds
from skae import DenoisingAutoencoderTransformer
from skae.corruptions import Corruption, Gaussian

BYTES = (8, 16, 32, 64)
PER_BYTE = {"float32": 1 / 4, "int8": 1, "bits": 8}  # components
# What a product quantizer reads, of as many bytes as it may write.
PRODUCT, PRODUCT_COMPONENTS = "product", 32
# A rotation to bits takes the cube of them.
MOST_COMPONENTS = 128
NEIGHBOURS, TEST_SHARE, REPEATS = 10, 0.2, 5
# Of many rows, shifted ones are trained on in two sizes: a minute already.
SHIFTED_COMPONENTS, MANY_ROWS = (16, 64), 2000
# Of fewer rows than columns none is held out, and training takes more epochs.
FEW_ROWS = {"hidden_layer_sizes": (256,), "max_iter": 200, "early_stopping": False}
ROTATION_STEPS = 20
LINKS, BREADTH = 32, 64  # of HNSW: per row, and of a search
CONTENDERS = PCA, DENOISING, SHIFTED = "PCA", "denoising", "denoising, shifted"
NOTE = (
    "Denoising: the defaults, or one hidden layer and 200 epochs with fewer rows than "
    "columns. Shifted: images are also moved by a pixel or none, which is knowledge of "
    "images that PCA has not. Settings were chosen on digits and within the databases; "
    "whitening took the place of standardising after a look at the queries of faces."
)
PLAIN = "plain"
SHARE_FOUND = 7  # its column in the table of speeds


class ShiftedNoise(Corruption):
    """Square images that are moved by a pixel or none, with Gaussian noise."""

    mean = 0.0

    def prepared(self, mean):
        # A common shift would only round off the data.
        prepared = copy(self)
        prepared.mean = mean - mean.median()
        return prepared

    def __call__(self, X, generator):
        side = round(X.shape[1] ** 0.5)
        images = (X + self.mean).reshape(-1, side, side)
        # Borders are repeated.
        moves = torch.randint(
            -1, 2, (2, len(X), 1), generator=generator, device=X.device
        )
        rows, columns = (torch.arange(side, device=X.device) + moves).clamp(0, side - 1)
        n = torch.arange(len(X), device=X.device)[:, None, None]
        moved = images[n, rows[:, :, None], columns[:, None, :]].reshape(X.shape)
        return Gaussian()(moved - self.mean, generator)


def run(directory, quick):
    """The report on retrieval."""
    faiss = _faiss()
    report = Report("Do codes find similar rows better than those of PCA?")
    report.notes.append(NOTE)
    sets = data.images(directory)
    faces = data.faces(directory)
    if faces is not None:
        sets.append(faces)
    tasks = [_task(dataset, quick) for dataset in sets]
    for task in tasks:
        _add_quality(report, task)
    _add_speed(report, faiss, max(tasks, key=lambda task: len(task.X)))
    return report


def _faiss():
    try:
        import faiss
    except ImportError:
        raise data.DataError(
            "Approximate search needs faiss: pip install -c constraints.txt "
            "-e '.[bench]'."
        ) from None
    faiss.omp_set_num_threads(1)  # as everything else here
    return faiss


@dataclass(frozen=True)
class Codes:
    """Codes of one contender, and how many rows per second are encoded."""

    database: np.ndarray
    queries: np.ndarray
    speed: float


@dataclass(frozen=True)
class Task:
    """A database and queries, with what is looked for.

    `layouts` are kinds, bytes and components; `codes` are by name and components.
    """

    name: str
    X: np.ndarray
    queries: np.ndarray
    y: np.ndarray
    y_queries: np.ndarray
    layouts: list
    codes: dict

    @property
    def n_neighbours(self):
        """As many as are looked for, where there are so many of a label."""
        return min(NEIGHBOURS, int(np.unique(self.y, return_counts=True)[1].min()))

    def precision(self, nearest):
        """Share of the neighbours that have the query's label."""
        return float((self.y[nearest] == self.y_queries[:, None]).mean())


def _task(dataset, quick):
    """Split a set, and fit what is compared to the database."""
    if quick:
        dataset = dataset.capped(data.QUICK_ROWS)
    X = np.ascontiguousarray(dataset.X, np.float32)
    X, queries, y, y_queries = train_test_split(
        X, dataset.y, test_size=TEST_SHARE, random_state=0, stratify=dataset.y
    )
    layouts, codes = _layouts(X, quick), {}
    for coder in _coders(X):
        for k in sorted({k for _, _, k in layouts}):
            is_slow = coder.name == SHIFTED and len(X) > MANY_ROWS
            if not is_slow or k in SHIFTED_COMPONENTS:
                coder.fit(X, k, 0)
                encode = partial(coder.encode, queries)
                times = interleaved({coder.name: encode}, REPEATS)[coder.name]
                speed = len(queries) / median(times)
                codes[coder.name, k] = Codes(coder.encode(X), encode(), speed)
    return Task(dataset.name, X, queries, y, y_queries, layouts, codes)


def _coders(X):
    few = FEW_ROWS if len(X) < X.shape[1] else {}
    make = partial(DenoisingAutoencoderTransformer, **few)
    shifted = partial(make, corruption=ShiftedNoise())
    return pca(), Transformer(DENOISING, make), Transformer(SHIFTED, shifted)


def _layouts(X, quick):
    """Kinds, bytes and components of the codes that the rows allow."""
    most = min(MOST_COMPONENTS, *X.shape)
    sizes = BYTES[:1] if quick else BYTES
    found = [
        (kind, size, round(size * per_byte))
        for kind, per_byte in PER_BYTE.items()
        for size in sizes
        if size * per_byte <= most
    ]
    k = PRODUCT_COMPONENTS
    return found + [(PRODUCT, size, k) for size in sizes if size <= k <= most]


def _add_quality(report, task):
    """Both tables of one set, and its bars."""
    n = task.n_neighbours
    of_pixels = {
        name: _nearest(*way(task.X, task.queries), n) for name, way in WAYS.items()
    }
    precisions, recalls = [], []
    for kind, size, k in task.layouts:
        found = [
            _found(task, kind, size, task.codes.get((name, k)), of_pixels[PLAIN])
            for name in CONTENDERS
        ]
        precisions.append([kind, size, k, *(cell for f in found for cell in f[:2])])
        recalls.append([kind, size, k, *(f[2] for f in found)])
    best = max(map(task.precision, of_pixels.values()))
    _add_tables(report, task, precisions, recalls, best)


def _found(task, kind, size, codes, of_pixels):
    """Precision in the plain and in the best way, and recall of the pixels' nearest."""
    if codes is None:
        return None, None, None
    nearest = {}
    ways = {PLAIN: WAYS[PLAIN]} if kind == PRODUCT else WAYS
    for way, prepare in ways.items():
        both = KINDS[kind](*prepare(codes.database, codes.queries), size)
        nearest[way] = _nearest(*both, task.n_neighbours)
    precisions = [task.precision(rows) for rows in nearest.values()]
    recall = (nearest[PLAIN][:, :, None] == of_pixels[:, None, :]).any(1).mean()
    return precisions[0], max(precisions), float(recall)


def _add_tables(report, task, precisions, recalls, of_pixels):
    title, shape = f"{task.name}, {task.n_neighbours} nearest", task.X.shape
    columns = [f"{c}, {way}" for c in CONTENDERS for way in ("plain", "best")]
    report.table(
        f"{title}: share that has the query's label",
        ["code", "bytes", "components", *columns],
        precisions,
        f"Database of {shape[0]:,} x {shape[1]}. Pixels, of {4 * shape[1]:,} bytes: "
        f"{of_pixels:.4f} at best. Plain: Euclidean distance of codes as they come. "
        "Best: the best for these queries of four ways, which are codes as they come "
        "or whitened, by distance or by angle. Bits: signs after the rotation "
        "that loses least (ITQ), Hamming distance. Product: a product quantizer of "
        "8 bits to a part, queries as they are. One split and seed.",
    )
    report.table(
        f"{title}: share of the pixels' nearest that is found",
        ["code", "bytes", "components", *CONTENDERS],
        recalls,
        "Codes as they come, Euclidean distance; Hamming distance of bits.",
    )
    for contender, place in ((DENOISING, 6), (SHIFTED, 8)):
        gains = [row[place] - row[4] for row in precisions if row[place] is not None]
        bar = f"{title}: label precision, {contender} over PCA, least of {len(gains)}"
        report.bar(bar, min(gains, default=None), 0.0, at_most=False)
    best = {}
    for row in precisions:
        pair = best.setdefault(row[1], [0.0, 0.0])
        pair[:] = max(pair[0], row[4]), max(pair[1], row[6])
    gains = [denoising - of_pca for of_pca, denoising in best.values()]
    bar = f"{title}: the same, the best kind of code for each number of bytes"
    report.bar(bar, min(gains), 0.0, at_most=False)


def _whitened(database, queries):
    whitening = decomposition.PCA(whiten=True).fit(database)
    return whitening.transform(database), whitening.transform(queries)


def _directions(database, queries):
    mean = database.mean(0)
    return normalize(database - mean), normalize(queries - mean)


WAYS = {
    PLAIN: lambda database, queries: (database, queries),
    "whitened": _whitened,
    "angle": _directions,
    "whitened, angle": lambda *codes: _directions(*_whitened(*codes)),
}


def _as_int8(database, queries, size):
    """Codes in 255 steps, the same for all components, so that distances stay."""
    step = np.abs(database).max() / 127
    return tuple(
        np.clip(np.rint(codes / step), -127, 127).astype(np.float32)
        for codes in (database, queries)
    )


def _as_bits(database, queries, size):
    """Codes as -1 and 1 after iterative quantisation.

    The rotation takes centred codes as close to the corners of a cube as it gets.
    Gong, Y., Lazebnik, S., Gordo, A., Perronnin, F. (2013). Iterative quantization.
    TPAMI 35(12). https://doi.org/10.1109/TPAMI.2012.193
    """
    mean = database.mean(0)
    centred, k = database - mean, database.shape[1]
    normal = np.random.default_rng(0).normal(size=(k, k))
    rotation = np.linalg.qr(normal)[0].astype(np.float32)
    for _ in range(ROTATION_STEPS):
        u, _, vt = np.linalg.svd(centred.T @ _signs(centred @ rotation))
        rotation = u @ vt
    return _signs(centred @ rotation), _signs((queries - mean) @ rotation)


def _signs(values):
    return np.where(values > 0, np.float32(1), np.float32(-1))


def _as_product(database, queries, size):
    """Rows as a product quantizer keeps them: the nearest of 256 for each part.

    Jegou, H., Douze, M., Schmid, C. (2011). Product quantization for nearest neighbor
    search. TPAMI 33(1). https://doi.org/10.1109/TPAMI.2010.57
    """
    faiss = _faiss()
    n_bits = min(8, int(np.log2(len(database) / 2)))
    quantizer = faiss.ProductQuantizer(database.shape[1], size, n_bits)
    database = np.ascontiguousarray(database, np.float32)
    quantizer.cp.min_points_per_centroid = 1  # no word about few rows
    quantizer.train(database)
    return quantizer.decode(quantizer.compute_codes(database)), queries


# Squared distances of -1 and 1 are four times those of Hamming.
KINDS = {
    "float32": lambda database, queries, size: (database, queries),
    "int8": _as_int8,
    "bits": _as_bits,
    PRODUCT: _as_product,
}


def _nearest(database, queries, n):
    """Rows (n_queries, n) of the nearest in the database."""
    search = NearestNeighbors(n_neighbors=n, algorithm="brute").fit(database)
    return search.kneighbors(queries, return_distance=False)


def _add_speed(report, faiss, task):
    """Queries per second of exact and approximate search."""
    searched = {"pixels, float32": (task.X, task.queries, None)}
    for kind, k in (("float32", 16), ("bits", 64)):
        for name in (PCA, DENOISING):
            codes = task.codes.get((name, k))
            if codes is not None:
                both = KINDS[kind](codes.database, codes.queries, None)
                searched[f"{name}, {kind}"] = *both, codes.speed
    rows = [
        [name, *_speeds(faiss, task, *codes, name.endswith("bits"))]
        for name, codes in searched.items()
    ]
    report.table(
        f"{task.name}: queries per second, one thread",
        [
            "search in",
            "bytes",
            "encoding",
            "exact, scikit-learn",
            "exact, faiss",
            "HNSW",
            "HNSW, seconds to build",
            "HNSW, found of exact",
            "label precision, HNSW",
        ],
        rows,
        f"{len(task.X):,} rows, {len(task.queries):,} queries at once. Encoding: rows "
        f"per second. HNSW with {LINKS} links and a breadth of {BREADTH}, in "
        "faiss; bits by Hamming distance, in scikit-learn as numbers -1 and 1.",
    )
    bar = f"{task.name}: HNSW's share of the exact neighbours, least"
    report.bar(bar, min(row[SHARE_FOUND] for row in rows), 0.95, at_most=False)


def _speeds(faiss, task, database, queries, encoding, is_bits):
    """A row of the table of speeds, from its bytes on."""
    n = task.n_neighbours
    learn = NearestNeighbors(n_neighbors=n, algorithm="brute").fit(database)
    if is_bits:
        stored, wanted = (np.packbits(a > 0, axis=1) for a in (database, queries))
        flat = faiss.IndexBinaryFlat(database.shape[1])
        graph = faiss.IndexBinaryHNSW(database.shape[1], LINKS)
    else:
        stored, wanted = database, queries
        flat = faiss.IndexFlatL2(database.shape[1])
        graph = faiss.IndexHNSWFlat(database.shape[1], LINKS)
    graph.hnsw.efSearch = BREADTH
    flat.add(stored)
    building, _ = seconds(graph.add, stored)
    searches = {
        "exact": partial(learn.kneighbors, queries),
        "faiss": partial(flat.search, wanted, n),
        "HNSW": partial(graph.search, wanted, n),
    }
    times = interleaved(searches, REPEATS)
    # Of equally distant rows, which bits have many of, any is right. Both indices
    # round distances in their own way.
    farthest = flat.search(wanted, n)[0][:, -1:] * (1 + 1e-4)
    distances, nearest = graph.search(wanted, n)
    return [
        stored.nbytes // len(stored),
        encoding,
        *(len(queries) / median(of) for of in times.values()),
        building,
        float((distances <= farthest).mean()),
        task.precision(nearest),
    ]
