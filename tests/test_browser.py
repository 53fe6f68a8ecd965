"""Pages of reports in a browser: they ask for nothing, and can be read by everyone."""

import json

import numpy as np
import pandas as pd
import pytest
from browser import Browser, path_of_browser
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale

import skae
from skae.detection import WindowedDetector

PATH = path_of_browser()
pytestmark = pytest.mark.skipif(
    PATH is None, reason="no browser is installed: `make test-browser` installs one"
)
SHORT = {"hidden_layer_sizes": (16,), "max_iter": 3, "random_state": 0}
# The least contrast of text, by WCAG 2.2, and the least size of letters in pixels.
CONTRAST, SIZE = 4.5, 7.5

# Of each piece of text: what it is, its contrast to what is behind it, and its size.
TEXTS = """
(() => {
  const parsed = (color) => (color.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = (color) => {
    const [r, g, b] = color.map((v) => {
      v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  // What an element paints: red, green, blue and how much of it is seen.
  const paint = (n) => {
    const style = getComputedStyle(n), inside = n.ownerSVGElement;
    const color = inside ? style.fill : style.backgroundColor;
    if (color === "none" || n.closest("text, defs")) return [0, 0, 0, 0];
    const [r, g, b, a = 1] = parsed(color);
    return [r, g, b, a * (inside ? style.fillOpacity * style.opacity : 1)];
  };
  // The colour of elements below each other, the uppermost first, on a white page.
  const behind = (elements) => elements.map(paint).reduceRight(
    (under, [r, g, b, a]) => under.map((v, i) => a * [r, g, b][i] + (1 - a) * v),
    [255, 255, 255]);
  const above = (node) => node ? [node, ...above(node.parentElement)] : [];
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || node.closest("style, defs")) continue;
    const svg = node.closest("svg"), style = getComputedStyle(node);
    let under = above(node);
    if (svg) {
      node.scrollIntoView({block: "center", inline: "center"});
      const box = node.getBoundingClientRect();
      under = document.elementsFromPoint(
        (box.left + box.right) / 2, (box.top + box.bottom) / 2);
      // Pixels of heat maps are not looked at, but where cells are empty.
      const is_own = style.fill !== getComputedStyle(svg).color;
      if (is_own && under.some((n) => n.tagName === "image")) continue;
      under = under.filter((n) => n.tagName !== "image");
    }
    const a = light(parsed(svg ? style.fill : style.color).slice(0, 3));
    const b = light(behind(under));
    const zoom = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width
                     : 1;
    found.push([text, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
                parseFloat(style.fontSize) * zoom]);
  }
  return JSON.stringify(found);
})()
"""


def reports():
    """Reports of all kinds by name: short fits, and names that are no good HTML."""
    rng = np.random.default_rng(0)
    cancer = load_breast_cancer(as_frame=True)
    X = pd.DataFrame(scale(cancer.data), columns=cancer.data.columns)
    X = X.rename(columns={"mean area": "<script>alert('area')</script>"})
    short = skae.AutoencoderTransformer(4, **SHORT)
    plain = skae.AutoencoderTransformer(4, **SHORT).fit(X)
    yield "plain", plain.report(X, cancer.target_names[cancer.target])
    detector = skae.AutoencoderOutlierDetector(short, random_state=0)
    yield "detector", detector.fit(X[cancer.target == 1]).report(X, cancer.target == 0)
    table = pd.DataFrame(
        {
            "kind": rng.choice(["oak", "<script>alert('oak')</script>"], 90),
            "height": rng.normal(size=90),
            "planted": pd.date_range("2001-01-01", periods=90),
        }
    )
    table.loc[::2, "height"] = np.nan  # in rows that are shown, too
    imputer = skae.AutoencoderImputer(skae.AutoencoderTransformer(2, **SHORT))
    yield "table", skae.AutoencoderTransformer(2, **SHORT).fit(table).report(table)
    yield "imputer", imputer.fit(table).report(table)
    series = pd.DataFrame({"a": np.sin(np.arange(400) / 5)})
    series["b"] = rng.normal(size=400)
    series.loc[350:360, "a"] = 5.0
    watch = WindowedDetector(detector, length=4, cv=2, random_state=0)
    yield "series", watch.fit(series[:300]).report(series)


NAMES = ["plain", "detector", "table", "imputer", "series"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    paths = {}
    for name, report in reports():
        paths[name] = folder / f"{name}.html"
        report.save(paths[name])
        paths[f"{name} in a notebook"] = notebook = folder / f"{name}_in.html"
        notebook.write_text(f"<!DOCTYPE html><body>{report._repr_html_()}</body>")
    return paths


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(PATH, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


def complaints(browser):
    """What the console shows, and what was asked for but the page itself."""
    said = browser.told(
        "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"
    )
    urls = [p["request"]["url"] for p in browser.told("Network.requestWillBeSent")]
    return said, [url for url in urls if not url.startswith("data:")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_pages_can_be_read_and_ask_for_nothing(browser, pages, name, width, is_dark):
    path = pages[name]
    browser.open(path, width, is_dark)
    page = "document.documentElement"
    assert browser.value(f"{page}.clientWidth") == width
    assert browser.value(f"{page}.scrollWidth") <= width
    back = browser.value("getComputedStyle(document.body).backgroundColor")
    assert (back == "rgb(255, 255, 255)") == (not is_dark)
    texts = json.loads(browser.value(TEXTS))
    assert len(texts) > 50
    assert [text for text in texts if text[1] < CONTRAST] == []
    assert [text for text in texts if text[2] < SIZE] == []
    assert browser.value("document.scripts.length") == 0
    said, urls = complaints(browser)
    assert said == []
    assert urls == [path.as_uri()]


@pytest.mark.parametrize("name", NAMES)
def test_pages_are_sound_html(browser, pages, name):
    browser.open(pages[name], 1400, False)
    count = "document.querySelectorAll({!r}).length".format
    assert browser.value(count("h1")) == 1
    assert browser.value(count("h2")) > 3
    assert browser.value(count("svg:not([aria-label])")) == 0
    assert browser.value(count("table:not(:has(caption)), td:first-child")) == 0
    ids = browser.value("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    # What is referred to is there.
    used = "[...document.querySelectorAll('use')].map(e => e.href.baseVal.slice(1))"
    assert set(browser.value(used)) <= set(ids)


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_show_reports_in_a_frame_of_their_own(browser, pages, name):
    browser.open(pages[f"{name} in a notebook"], 1400, False)
    frame = "document.querySelector('iframe')"
    assert browser.value(f"{frame}.sandbox.length") == 0
    inner = f"new DOMParser().parseFromString({frame}.srcdoc, 'text/html')"
    title = browser.value(f"{inner}.querySelector('h1').textContent")
    assert title.startswith("Report: ")
    assert browser.value(f"{frame}.clientWidth") > 1300
    said, urls = complaints(browser)
    assert said == []
    assert set(urls) <= {pages[f"{name} in a notebook"].as_uri(), "about:srcdoc"}
