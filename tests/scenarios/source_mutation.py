"""A check taken out of the source of a module, for the length of a test: whoever imported its functions sees it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType


@contextmanager
def changed(module: str, old: str, new: str) -> Iterator[None]:
    """Let the functions of a module be those of its source with ``old`` once replaced by ``new``."""
    found = import_module(module)
    assert found.__file__ is not None
    source = Path(found.__file__).read_text(encoding="utf-8")
    assert source.count(old) >= 1, f"{module} has no longer {old!r}"
    codes = _codes(compile(source.replace(old, new, 1), found.__file__, "exec"))
    functions = dict(_functions(found))
    before = {function: function.__code__ for function in functions.values()}
    replaced = 0
    for name, function in functions.items():
        code = codes.get(name)
        if code is not None and code.co_freevars == function.__code__.co_freevars and code != function.__code__:
            function.__code__ = code
            replaced += 1
    assert replaced, f"nothing of {module} was changed by {new!r}"
    try:
        yield
    finally:
        for function, code in before.items():
            function.__code__ = code


def _codes(code: CodeType, prefix: str = "") -> dict[str, CodeType]:
    """The code of each function and method, by its qualified name."""
    found: dict[str, CodeType] = {}
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            name = f"{prefix}{inner.co_name}"
            found[name] = inner
            found.update(_codes(inner, f"{name}."))
    return found


def _functions(module: ModuleType) -> Iterator[tuple[str, FunctionType]]:
    for name, value in vars(module).items():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if isinstance(value, FunctionType):
            yield name, value
        elif inspect.isclass(value):
            for inner, one in vars(value).items():
                function = one.fget if isinstance(one, property) else getattr(one, "__func__", one)
                if isinstance(function, FunctionType):
                    yield f"{name}.{inner}", function
