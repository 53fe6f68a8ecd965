"""
A table with holes, filled
==========================

Advertisements of used cars: numbers, categories and dates, of which sellers leave out
every fifth. An imputer learns how columns hang together and fills the holes, once or as
often as it takes to show the doubt: the middle 80 % of 200 prices drawn hold the true
one in 91 % of the cars, so that they are on the safe side. In numbers and dates its
error is mostly less than half of that of the nearest neighbours, in model and fuel it
is 43 to 77 % of it; gearbox and colour are filled in no better on some tables.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.impute import KNNImputer, SimpleImputer

from skae import AutoencoderImputer

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
imputer = AutoencoderImputer(random_state=0).fit(train)
hole = test["price"].isna()
draws = imputer.autoencoder_.impute(test[hole], draws=200, random_state=0)
low, middle, high = np.quantile([d["price"] for d in draws], [0.1, 0.5, 0.9], axis=0)
price = true["price"][hole]
inside = ((low <= price) & (price <= high)).mean()
fig, ax = plt.subplots(figsize=(5.6, 4), layout="constrained")
lines, style = [middle - low, high - middle], {"fmt": "o", "markersize": 3}
ax.errorbar(price, middle, lines, **style, linewidth=0.8, alpha=0.6)
ax.plot([0.5, 150], [0.5, 150], "k:")
ax.set(xscale="log", yscale="log", xlabel="true price in 1000 euros")
ax.set(
    ylabel="price filled in", title=f"80 % intervals hold {inside:.0%} of the prices"
)
ax.xaxis.set_major_formatter("{x:g}")
ax.yaxis.set_major_formatter("{x:g}")
plt.show()

# %%
# The imputer takes the table as it is and returns one: here are cars before and after.
is_short = test.isna().sum(axis=1) == 3
print(test[is_short].head(3).to_string())
print(imputer.transform(test[is_short]).head(3).to_string())

# %%
# Other imputers need numbers of one scale, and zeros and ones for categories. Shown is
# the error in holes over that of the mean or the commonest level, of 1000 other cars. A
# colour is anyone's guess: nothing beats the commonest one there. On three more made
# tables, the errors in gearbox were 0.89, 1.02 and 1.19 of those of the nearest
# neighbours, those in colour 0.97 to 1.05; the intervals held 86 to 93 % of the prices.
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
over_neighbours = errors["AutoencoderImputer"] / errors["KNNImputer"]
shares = errors.div(errors.pop("SimpleImputer"), axis=0)
shares = shares.sort_values("AutoencoderImputer", ascending=False)
ax = shares.plot.barh(figsize=(6.4, 4.2), width=0.75)
ax.axvline(1, color="k", linestyle=":")
ax.set(xlabel="error, over that of the mean or commonest level")
ax.figure.set_layout_engine("constrained")
plt.show()
print(shares.assign(over_neighbours=over_neighbours).round(2))
