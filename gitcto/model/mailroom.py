"""Messages in memory, found by number, by key and by address."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gitcto.model.mail_records import Mail


class Mailroom:
    """Some or all of a team's messages; only :meth:`put` changes it."""

    def __init__(self) -> None:
        self._mail: dict[int, Mail] = {}
        self._keys: dict[tuple[str, str, str], int] = {}
        self._to: dict[str, list[int]] = {}
        self._sent: dict[str, int] = {}
        self.last = 0

    def put(self, mail: Mail) -> None:
        """Take up a message, or replace it by a newer one."""
        if mail.number not in self._mail:
            self._keys[mail.sender, mail.recipient, mail.key] = mail.number
            self._to.setdefault(mail.recipient, []).append(mail.number)
            self._sent[mail.sender] = self._sent.get(mail.sender, 0) + 1
        self._mail[mail.number] = mail
        self.last = max(self.last, mail.number)

    def get(self, number: int) -> Mail | None:
        """Return a message by number."""
        return self._mail.get(number)

    def by_key(self, sender: str, recipient: str, key: str) -> Mail | None:
        """Return what was sent on a route with a key."""
        return self._mail.get(self._keys.get((sender, recipient, key), 0))

    def to(self, recipient: str) -> Collection[Mail]:
        """Return the messages to an address, in the order in which they were sent."""
        return [self._mail[number] for number in sorted(self._to.get(recipient, ()))]

    def over(self, recipient: str, older: Collection[Mail]) -> Collection[Mail]:
        """Return older messages to an address with these, which are newer, in their place."""
        merged = {mail.number: mail for mail in (*older, *self.to(recipient))}
        return [merged[number] for number in sorted(merged)]

    def sent_by(self, sender: str) -> int:
        """Return how many of them an address has sent."""
        return self._sent.get(sender, 0)

    def __iter__(self) -> Iterator[Mail]:
        """Yield all, in the order in which they were sent."""
        return iter([self._mail[number] for number in sorted(self._mail)])
