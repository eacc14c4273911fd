"""The Velocity Template Language as API Gateway's mapping templates use it.

    template = parse(source)            # once, when an API is compiled
    text = render(template, variables)  # per request

A small true engine: references (formal, quiet, with properties, methods and indexes), #set, #if/#elseif/#else, #foreach,
#define, #break, #stop, comments, literals; strings, lists and maps have the methods that Java gives them. What it does
not have raises `NotEmulated` and says which.
"""

from .evaluator import Refused, render
from .parser import TemplateSyntaxError, parse

__all__ = ["Refused", "TemplateSyntaxError", "parse", "render"]
