"""`alexaSmartHome`: like `alexaSkill`, for skills that control a home."""

from pileus.compile.compilation import Compilation
from pileus.compile.events.alexa_skill import compile_skills
from pileus.service.model import Event, Function


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    compile_skills(c, uses, "AlexaSmartHome", "alexa-connectedhome.amazon.com")
