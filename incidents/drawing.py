"""State machines drawn from their tables, as Mermaid text for the docs."""

from collections.abc import Mapping

from incidents.states import Move


def mermaid(moves: Mapping[str, Move], *, start: str) -> str:
    """A Mermaid state diagram of ``moves``, beginning at ``start``."""
    lines = ["stateDiagram-v2", f"    [*] --> {start}"]
    for name, move in moves.items():
        lines += [f"    {source} --> {move.target}: {name}" for source in move.source]
    return "\n".join(lines)
