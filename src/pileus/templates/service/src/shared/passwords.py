"""Password hashes with scrypt, written with their parameters, so that these can be raised and old hashes still hold."""

import base64
import hashlib
import hmac
import os

# OWASP's recommendation for 16 MiB of memory.
LOG2_N, R, P = 14, 8, 5
SALT_BYTES = 16
HASH_BYTES = 32


def hash_password(password: str) -> str:
    salt = os.urandom(SALT_BYTES)
    return _format(LOG2_N, R, P, salt, _scrypt(password, salt, LOG2_N, R, P, HASH_BYTES))


def matches(password: str, stored: str) -> bool:
    """Compares in constant time; `stored` is what `hash_password` returned."""
    _, parameters, salt, expected = stored.split("$")
    log2_n, r, p = (int(parameter.partition("=")[2]) for parameter in parameters.split(","))
    wanted = base64.b64decode(expected)
    return hmac.compare_digest(_scrypt(password, base64.b64decode(salt), log2_n, r, p, len(wanted)), wanted)


def _scrypt(password: str, salt: bytes, log2_n: int, r: int, p: int, length: int) -> bytes:
    n = 1 << log2_n
    memory = 128 * r * (n + p + 2)
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=2 * memory, dklen=length)


def _format(log2_n: int, r: int, p: int, salt: bytes, digest: bytes) -> str:
    encoded = "$".join(base64.b64encode(part).decode() for part in (salt, digest))
    return f"scrypt$ln={log2_n},r={r},p={p}${encoded}"


# Nobody's password: compared when the user does not exist, so that the answer takes as long as for one who does.
NOBODY = _format(LOG2_N, R, P, bytes(SALT_BYTES), bytes(HASH_BYTES))
