"""Alarms of a detector that was fitted to benign tumours."""

from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderOutlierDetector
from skae.plotting import AlarmDisplay

data = load_breast_cancer(as_frame=True)
is_malignant = data.target == 0
benign = data.data[~is_malignant]
detector = AutoencoderOutlierDetector(alpha=0.05, random_state=0)
model = make_pipeline(StandardScaler(), detector).fit(benign[:250])
new = data.data.drop(benign.index[:250])
AlarmDisplay.from_estimator(model, new, y=is_malignant[new.index])
