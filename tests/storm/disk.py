"""A small disk that can be filled: a tmpfs in a mount namespace of this process's own, which ends with it.

The writes on it fail with the kernel's own ENOSPC, in whichever process. Root needs nothing else; anybody else needs a kernel
that lets people have namespaces of their own (user.max_user_namespaces).
"""

import contextlib
import ctypes
import os
from pathlib import Path

MS_REC, MS_PRIVATE, MNT_DETACH = 0x4000, 0x40000, 2
STEP = 1 << 16
FILLER = ".filler"


def mount_small_disk(folder: Path, megabytes: int) -> bool:
    """Mount it on ``folder``; False where the kernel refuses. To be called before any thread is started."""
    user, group = os.geteuid(), os.getegid()
    try:
        os.unshare(os.CLONE_NEWNS | (os.CLONE_NEWUSER if user else 0))
        if user:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        _mount(None, "/", None, MS_REC | MS_PRIVATE, None)
        _mount("tmpfs", str(folder), "tmpfs", 0, f"size={megabytes}m,mode=0755")
    except OSError:
        return False
    return True


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    texts = [text.encode() if text is not None else None for text in (source, target, kind)]
    if libc.mount(*texts, ctypes.c_ulong(flags), data.encode() if data else None):
        raise OSError(ctypes.get_errno(), f"mount {target}")


def unmount(folder: Path) -> None:
    """Take it off again, so that the folder can be removed."""
    ctypes.CDLL(None).umount2(str(folder).encode(), MNT_DETACH)


def fill(folder: Path) -> None:
    """Leave no byte."""
    with (folder / FILLER).open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * STEP):
            pass


def clear(folder: Path) -> None:
    """Give the room back."""
    (folder / FILLER).unlink(missing_ok=True)
