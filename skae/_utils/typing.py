"""Types for annotations, of libraries that need not be there."""

from typing import TYPE_CHECKING, Union

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

# Rows as users get them: of a table one of its library, and otherwise an array.
Rows = Union[np.ndarray, "pd.DataFrame", "pl.DataFrame"]
