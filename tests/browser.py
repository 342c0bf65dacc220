"""A real browser for the tests of pages."""

import shutil

import pytest


def browser(downloads=None, width=1280, height=900):
    """Returns a headless Chromium, or skips the test."""
    webdriver = pytest.importorskip(
        "selenium.webdriver", reason="needs selenium"
    )
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in programs:
        pytest.skip("needs Chromium and its driver")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(argument)
    options.add_argument(f"--window-size={width},{height}")
    if downloads is not None:
        options.add_experimental_option(
            "prefs", {"download.default_directory": str(downloads)}
        )
    service = webdriver.ChromeService(programs[1])
    return webdriver.Chrome(options, service)
