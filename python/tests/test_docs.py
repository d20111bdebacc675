"""The examples of the book."""

from __future__ import annotations

import doctest
import re

import pytest
from conftest import TOP

pytest.importorskip("pyarrow")


def test_the_examples_print_what_the_book_says() -> None:
    page = (TOP / "docs/src/python.md").read_text()
    blocks = re.findall(r"^```python\n(>>>.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "python.md", None, 0)
    result = doctest.DocTestRunner().run(test)
    assert result.attempted > 10 and result.failed == 0
