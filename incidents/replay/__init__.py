"""Replays: a dated timeline played through the real services on a simulated clock."""

from incidents.replay import steps
from incidents.replay.player import Stage, advance, play
from incidents.replay.result import register_section, result
from incidents.replay.scenario import Scenario, Step, load, register_step
from incidents.replay.steps import duties

__all__ = [
    "Scenario",
    "Stage",
    "Step",
    "advance",
    "duties",
    "load",
    "play",
    "register_section",
    "register_step",
    "result",
    "steps",
]
