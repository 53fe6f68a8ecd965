"""Codes that are solved for, once a network is trained."""

from sklearn.base import clone
from torch import nn

from skae._utils.compat import StrOptions
from skae.code_maps._code_map import CodeMap

# Nonzeros up to which least squares take little time; it grows with their cube.
_MOST_NONZEROS = 64


class Refinement(CodeMap):
    """Codes that are solved for from the row, by the decoder that is there.

    An encoder has one guess at a sparse code. Where the decoder is linear, each code is
    a sum of its columns, and better ones can be found at the cost of time. They have as
    many nonzeros as the encoder's, after the maps before this one, which is the last,
    but no more than there are features; after ``TopK(positive=True)`` none is negative.
    The network is trained with the encoder's codes. Then the decoder is fitted to the
    refined ones of up to 8192 rows, in turns [1]_, as often as held-out rows gain.

    Refined codes are those of all methods: `transform` returns them, `reconstruct`
    decodes them. Missing cells of a row are first filled by what the encoder's code
    decodes to. :func:`skae.to_onnx` writes operations for each nonzero, and needs to
    know how many there are, as after :class:`TopK`.

    Parameters
    ----------
    method : {"omp", "least_squares", "auto"}, default="omp"
        "least_squares" changes the nonzeros that the encoder chose to those that
        reconstruct the row best. "omp" chooses anew, one component after the other, by
        orthogonal matching pursuit: each time the one with which the squared error
        becomes the lowest [2]_. "auto" is "least_squares" if the rows trained on have
        up to 64 nonzeros each, of which its time grows with the cube, and leaves codes
        as the encoder's otherwise.

    References
    ----------
    .. [1] Engan, K., Aase, S. O., Husøy, J. H. (1999). Method of optimal directions for
       frame design. ICASSP. :doi:`10.1109/ICASSP.1999.760624`
    .. [2] Rebollo-Neira, L., Lowe, D. (2002). Optimized orthogonal matching pursuit
       approach. IEEE Signal Processing Letters 9(4).
       :doi:`10.1109/LSP.2002.1001652`

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer
    >>> from skae.code_maps import Refinement, TopK
    >>> X, _ = load_digits(return_X_y=True)
    >>> read, solved = (
    ...     AutoencoderTransformer(
    ...         100, hidden_layer_sizes=(), init="random", code_map=maps, random_state=0
    ...     ).fit(X[:1500])
    ...     for maps in (TopK(k=8), [TopK(k=8), Refinement("omp")])
    ... )
    >>> solved.score(X[1500:]) > 0.6 * read.score(X[1500:])
    True
    """

    _parameter_constraints = {"method": [StrOptions({"least_squares", "omp", "auto"})]}
    moves_codes = False
    is_exact = refines = True

    def __init__(self, method="omp"):
        self.method = method

    def bounds_after(self, bounds):
        return bounds  # codes that have some are refused

    def __call__(self, n_components):
        return _Refined(self.method)

    def of_codes(self, n_nonzeros):
        """This map for codes of up to so many nonzeros; None if it leaves them."""
        if self.method != "auto":
            return self
        if n_nonzeros > _MOST_NONZEROS:
            return None
        return clone(self).set_params(method="least_squares")


class _Refined(nn.Identity):
    """Leaves codes as they are, and says how those of new rows are to be refined."""

    def __init__(self, method):
        super().__init__()
        self.method = method
