"""
Holes filled and odd rows explained
===================================

Advertisements of used cars: numbers, categories and dates, of which sellers leave out
every fifth. The imputer learns how columns hang together and fills the holes, once or
as often as it takes to show the doubt. The detector finds advertisements that
contradict themselves, and says in words where.
"""

# %%
# The cars are made, so that it is known what is missing.
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.impute import KNNImputer, SimpleImputer

from skae import AutoencoderImputer, AutoencoderOutlierDetector

MODELS = {  # weakest and strongest engine in kW, price in 1000 euros, fuels
    "Fiat Panda": (51, 63, 15, "petrol petrol petrol hybrid"),
    "Toyota Yaris": (53, 96, 22, "petrol hybrid hybrid"),
    "Skoda Octavia": (81, 147, 32, "diesel diesel petrol petrol hybrid"),
    "VW Golf": (66, 180, 33, "petrol petrol diesel diesel hybrid"),
    "VW Transporter": (81, 150, 48, "diesel"),
    "BMW 320": (110, 140, 50, "diesel diesel petrol"),
    "Renault Zoe": (65, 100, 34, "electric"),
    "Tesla Model 3": (190, 330, 48, "electric"),
    "Porsche 911": (280, 480, 130, "petrol"),
}


def used_cars(n, rng):
    model = rng.choice(list(MODELS), n)
    weakest, strongest, new = np.array([MODELS[name][:3] for name in model]).T
    fuel = np.array([rng.choice(MODELS[name][3].split()) for name in model])
    engine, electric = rng.choice([0, 0.3, 0.6, 1], n), fuel == "electric"
    years = rng.gamma(2, 3, n).clip(0.2, np.where(electric, 8, 24))
    km = years * rng.lognormal(np.where(fuel == "diesel", 9.9, 9.3), 0.35)
    automatic = (rng.random(n) < new / 300 + engine / 3) | electric | (new > 100)
    left = np.exp(rng.normal(-0.13 * years - km / 350_000, 0.07))
    power = (weakest + engine * (strongest - weakest)).round()
    age = pd.to_timedelta((365 * years).round(), unit="D")
    use = np.where(electric, 15, 3.2 + 0.022 * power) * rng.normal(1, 0.06, n)
    return pd.DataFrame(
        {
            "price": (new * (1 + engine / 3) * left).round(1),  # in 1000 euros
            "use": use.round(1),  # litres or kWh for 100 km
            "power": power,
            "mileage": (km / 1000).round(),
            "registered": pd.Timestamp("2026-01-01") - age,
            "fuel": fuel,
            "model": model,
            "gearbox": np.where(automatic, "automatic", "manual"),
            "colour": rng.choice(["black", "white", "grey", "blue", "red"], n),
        }
    )


rng = np.random.default_rng(0)
cars, true = used_cars(2000, rng), used_cars(1000, rng)
train, test = (table.mask(rng.random(table.shape) < 0.2) for table in (cars, true))

# %%
# The imputer takes the table as it is and returns one. Other imputers need numbers of
# one scale, and zeros and ones for the levels of categories.
imputer = AutoencoderImputer(random_state=0).fit(train)
categories = ["model", "fuel", "gearbox", "colour"]
levels = {name: sorted(cars[name].unique()) for name in categories}


def encoded(table):
    days = (table["registered"] - pd.Timestamp("2026-01-01")).dt.days
    numbers = table.select_dtypes("number").assign(registered=days)
    dummies = [
        pd.get_dummies(table[name], dtype=float)[of].mask(table[name].isna())
        for name, of in levels.items()
    ]
    deviations = [30, 4, 90, 60, 1600]  # about those of the columns
    return pd.concat([numbers / deviations, *dummies], axis=1)


X_test, X_true = encoded(test), encoded(true)
found = {"AutoencoderImputer": encoded(imputer.transform(test))}
for other in (KNNImputer(), SimpleImputer()):  # nearest rows; mean and commonest level
    other.set_output(transform="pandas").fit(encoded(train))
    found[type(other).__name__] = other.transform(X_test)


def error(X, name):
    hole = test[name].isna()
    if name in levels:
        guess, is_level = X[levels[name]].idxmax(axis=1), true[name]
        return (guess != is_level)[hole].mean()
    return ((X[name] - X_true[name])[hole] ** 2).mean()


errors = pd.DataFrame(
    {name: [error(X, column) for column in true] for name, X in found.items()},
    index=true.columns,
)
shares = errors.div(errors.pop("SimpleImputer"), axis=0)
shares = shares.sort_values("AutoencoderImputer", ascending=False)

# %%
# On the left, a colour is anyone's guess: nothing beats the commonest one there. On the
# right, prices are drawn 200 times, so that what follows from them has its doubt.
hole = test["price"].isna()
draws = imputer.autoencoder_.impute(test[hole], draws=200, random_state=0)
low, middle, high = np.quantile([d["price"] for d in draws], [0.1, 0.5, 0.9], axis=0)
price = true["price"][hole]
inside = ((low <= price) & (price <= high)).mean()
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
shares.plot.barh(ax=left, width=0.75)
left.axvline(1, color="k", linestyle=":")
left.set_title("Cells filled")
left.set(xlabel="error in holes, over that of the mean or commonest level")
lines = [middle - low, high - middle]
right.errorbar(price, middle, lines, fmt="o", markersize=3, linewidth=0.8, alpha=0.6)
right.plot([0.5, 150], [0.5, 150], "k:")
right.set(xscale="log", yscale="log")
right.set(xlabel="true price in 1000 euros", ylabel="prices drawn")
right.xaxis.set_major_formatter("{x:g}")
right.yaxis.set_major_formatter("{x:g}")
right.set_title(f"80 % of the draws hold {100 * inside:.0f} % of the missing prices")
plt.show()

# %%
# The detector is fitted to the same table, with its holes, so that of correct cars 2 %
# raise an alarm at the most. In each new car one mistake is made; most of those that
# aren't found are plausible, as a diesel that might have been a petrol car. Where cells
# contradict each other, either side may be the wrong one, and be named.
detector = AutoencoderOutlierDetector(alpha=0.02, random_state=0).fit(train)
others = true.sample(frac=1, random_state=0).reset_index(drop=True)
mistakes = [
    ("price", "a zero too many", 10 * true["price"]),
    ("mileage", "a zero too few", (true["mileage"] / 10).round()),
    ("registered", "ten years early", true["registered"] - pd.Timedelta(3650, "D")),
    ("model", "another car's", others["model"]),
    ("fuel", "another car's", others["fuel"]),
]
fig, (left, right) = plt.subplots(
    1, 2, sharey=True, figsize=(10, 4.2), width_ratios=[1, 1.4], layout="constrained"
)
for y, (name, _, cells) in enumerate(mistakes):
    table = true.assign(**{name: cells})[cells != true[name]]
    found = table[detector.predict(table) == -1]
    reasons = detector.explain(found, n_features=1)
    named = reasons[reasons["feature"] == name]
    for rows, color in ((found, "lightsteelblue"), (named, "C0")):
        left.barh(y, 100 * len(rows) / len(table), color=color)
    right.text(0, y, fill(named["message"].iloc[0], 62), va="center")
fig.legend(
    left.containers[:2], ["found", "and named first"], loc="outside lower left", ncols=2
)
labels = [f"{name}: {mistake}" for name, mistake, _ in mistakes]
left.set_yticks(range(len(labels)), labels)
left.set(xlabel="% of the cars", xlim=(0, 100), title="One wrong cell in each car")
left.invert_yaxis()
right.set_title("What is said of the first that is named")
right.set_axis_off()
plt.show()
