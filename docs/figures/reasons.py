"""Features at fault in malignant tumours, by a detector fitted to benign ones."""

from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderOutlierDetector
from skae.plotting import ReasonDisplay

data = load_breast_cancer(as_frame=True)
benign, malignant = (data.data[data.target == kind] for kind in (1, 0))
detector = AutoencoderOutlierDetector(alpha=0.05, random_state=0)
model = make_pipeline(StandardScaler(), detector).fit(benign[:250])
ReasonDisplay.from_estimator(model, malignant[:1], n_features=6)
