"""Generators of what signs hold besides words: prices, dates, phone numbers, codes…

Every pattern is a function of a generator and returns 1 to 25 printable characters.
To add one, write the function and name it in `PATTERNS`; give it a weight in
`corpora/corpora.toml` to make it part of the default mixture.
"""

from collections.abc import Callable, Mapping, Sequence
from string import ascii_letters, ascii_lowercase, ascii_uppercase
from types import MappingProxyType

import numpy as np

Pattern = Callable[[np.random.Generator], str]

LONGEST = 25
"""No pattern returns more characters than this."""


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_CLEAR_DIGITS = "23456789"
_ALPHABETS = (
    ascii_uppercase,
    ascii_lowercase,
    *(
        "".join(one for one in letters if one not in "IlOo") + digits
        for letters in (ascii_letters, ascii_uppercase)
        for digits in ("", _CLEAR_DIGITS)
    ),
)
"""Of strings without meaning; where nothing else tells 0 from O and 1 from l, they are not among them."""
_MONTHS = _listed("January February March April May June July August September October November December")
_DAYS = _listed("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_NAMES = _listed(
    "luna green bluefox harbour oak river nova atlas delta market corner garden cafe vista metro "
    "park silver orange studio north urban royal sun moon alpha cedar maple stone wave bistro"
)
_WORDS = _listed(
    "Sale Open Cafe Hotel Pizza Exit Bar Taxi Bank Shop Free Fresh New Stop Tea Wine Books Menu "
    "Parking Welcome Today Special Push Pull Milk Bread Music Spa Gym Hair Nails Keys Deli Fish"
)
_PLACES = ("Gate", "GATE", "Room", "Platform", "Exit", "EXIT", "Level", "Bus", "Line", "Lot", "Unit")
_ENDINGS = (".com", ".com", ".com", ".org", ".net", ".co.uk", ".de", ".fr", ".eu", ".io", ".shop")
_ABBREVIATIONS = (
    "Co.", "Ltd.", "Inc.", "St.", "Ave.", "Dr.", "Mr.", "& Sons", "& Co.", "est.", "tel:", "vs."
)  # fmt: skip


def numbers(rng: np.random.Generator) -> str:
    """42, 1,250, 3.14, 007, No. 7, 2nd"""
    kind = int(rng.integers(6))
    if kind <= 1:
        return str(rng.integers(10 ** int(rng.integers(1, 6))))
    if kind == 2:
        return f"{rng.integers(1000, 2_000_000):,}"
    if kind == 3:
        return f"{rng.uniform(0, 100):.{rng.integers(1, 3)}f}"
    if kind == 4:
        return f"{rng.integers(1000):0{rng.integers(2, 5)}d}"
    value = int(rng.integers(1, 100))
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(value % 10 if value // 10 != 1 else 0, "th")
    return f"{value}{suffix}" if rng.random() < 0.5 else f"{_pick(rng, ('No. ', 'No.', 'Nr. '))}{value}"


def prices(rng: np.random.Generator) -> str:
    """$4.99, £12, €3,50, 3,50 €, 99p, $1,299.00"""
    cents = _pick(rng, ("99", "95", "50", "00", f"{rng.integers(100):02d}"))
    units = int(rng.integers(1, 10 ** int(rng.integers(1, 4))))
    kind = int(rng.integers(8))
    if kind <= 1:
        return f"{_pick(rng, '$£€')}{units}.{cents}"
    if kind == 2:
        return f"{_pick(rng, '$£€')}{units}"
    if kind == 3:
        return f"€{units},{cents}"
    if kind == 4:
        return f"{units},{cents} €" if rng.random() < 0.7 else f"{units} €"
    if kind == 5:
        return f"{rng.integers(5, 100)}{_pick(rng, 'p¢')}"
    if kind == 6:
        return f"{_pick(rng, '$£€')}{rng.integers(1000, 30_000):,}" + _pick(rng, ("", ".00"))
    if rng.random() < 0.6:
        return f"{units}.{cents}"
    return f"{rng.integers(2, 6)} for {_pick(rng, '$£€')}{units}"


def dates(rng: np.random.Generator) -> str:
    """12/05/2021, 2021-05-12, 12 May 2021, May 12, Est. 1987"""
    day, month, year = int(rng.integers(1, 29)), int(rng.integers(1, 13)), int(rng.integers(1950, 2036))
    name = _MONTHS[month - 1]
    short = name[:3]
    return _pick(
        rng,
        (
            f"{day:02d}/{month:02d}/{year}",
            f"{day}/{month}/{year % 100:02d}",
            f"{day:02d}.{month:02d}.{year}",
            f"{year}-{month:02d}-{day:02d}",
            f"{day} {short} {year}",
            f"{day} {name} {year}",
            f"{short} {day}",
            f"{name} {day}, {year}",
            f"{short.upper()} {year}",
            f"{_pick(rng, _DAYS)} {day} {short}",
            f"{_pick(rng, ('Est.', 'Since', 'EST'))} {rng.integers(1850, 2021)}",
            f"{year}",
        ),
    )


def times(rng: np.random.Generator) -> str:
    """9:30, 09:30, 7 am, 7:30 PM, Mon-Fri 9-5, 08:00 - 18:00, 24h"""
    hour, minute = int(rng.integers(24)), int(rng.integers(12)) * 5
    twelve = hour % 12 or 12
    half = _pick(rng, ("am", "AM", "a.m.") if hour < 12 else ("pm", "PM", "p.m."))
    opens, closes = int(rng.integers(6, 12)), int(rng.integers(1, 12))
    days = f"{_DAYS[rng.integers(0, 3)][:3]}-{_DAYS[rng.integers(3, 7)][:3]}"
    return _pick(
        rng,
        (
            f"{hour}:{minute:02d}",
            f"{hour:02d}:{minute:02d}",
            f"{twelve} {half}",
            f"{twelve}:{minute:02d} {half}",
            f"{twelve}{half}",
            f"{opens}am-{closes}pm",
            f"{opens:02d}:00 - {closes + 12}:00",
            f"{days} {opens}-{closes}",
            f"{days} {opens}:00-{closes + 12}:00",
            f"{_pick(rng, (12, 24, 48))}{_pick(rng, ('h', ' h', ' hours', 'hrs'))}",
        ),
    )


def phones(rng: np.random.Generator) -> str:
    """(212) 555-0147, 555-0199, +44 20 7946 0123, 0800 555 123, 1-800-555-0142"""
    area, last = int(rng.integers(201, 990)), f"01{rng.integers(100):02d}"
    # 555-01xx and 7946 0xxx are kept free for fiction.
    return _pick(
        rng,
        (
            f"({area}) 555-{last}",
            f"{area}-555-{last}",
            f"{area}.555.{last}",
            f"555-{last}",
            f"1-800-555-{last}",
            f"+1 {area} 555 {last}",
            f"+44 20 7946 0{rng.integers(1000):03d}",
            f"020 7946 0{rng.integers(1000):03d}",
            f"0800 555 {rng.integers(1000):03d}",
            f"Tel. {area} 555 {last}",
            f"+49 30 {rng.integers(10**6, 10**7)}",
        ),
    )


def codes(rng: np.random.Generator) -> str:
    """AB12 CDE, SKU-48213, B12, Gate 4, Room 204, EXIT 14B, A-113"""
    letter, number = _letters(rng, 1), int(rng.integers(1, 100))
    place = _pick(rng, _PLACES)
    return _pick(
        rng,
        (
            f"{_letters(rng, 2)}{number:02d} {_letters(rng, 3)}",
            f"{rng.integers(1, 10)}{_letters(rng, 3)}{rng.integers(1000):03d}",
            f"{_letters(rng, 3)} {rng.integers(10_000):04d}",
            f"{_letters(rng, 2)}-{rng.integers(1000):03d}-{_letters(rng, 2)}",
            f"SKU-{rng.integers(100_000):05d}",
            f"{_letters(rng, 2)}{rng.integers(10**6):06d}",
            f"{letter}{number}",
            f"{letter}-{number}",
            f"{number}{letter}",
            f"{place} {number}",
            f"{place} {letter}{number}",
            f"{place} {number}{letter}",
            f"{_letters(rng, 2)}{rng.integers(10)}{letter}-{rng.integers(1000, 10_000)}",
        ),
    )


def urls(rng: np.random.Generator) -> str:
    """www.cafe-luna.com, shop24.co.uk, greenriver.org/menu"""
    site = _site(rng)
    domain = site + _pick(rng, _ENDINGS)
    kind = rng.random()
    if kind < 0.5:
        domain = f"www.{domain}"
    elif kind < 0.6:
        domain += _pick(rng, ("/menu", "/jobs", "/app", "/sale", "/en"))
    return domain.upper() if rng.random() < 0.12 else domain


def emails(rng: np.random.Generator) -> str:
    """info@bluefox.com, book@oak24.de"""
    box = _pick(rng, ("info", "hello", "book", "jobs", "sales", "mail", "team", "post"))
    return f"{box}@{_site(rng, 13)}{_pick(rng, ('.com', '.com', '.org', '.net', '.eu', '.de'))}"


def punctuation(rng: np.random.Generator) -> str:
    """Co., R&B, A-1, (24h), #12, 50%, Sale!, "Fresh", Tea/Wine"""
    word, other = _pick(rng, _WORDS), _pick(rng, _WORDS)
    first, second = _letters(rng, 1), _letters(rng, 1)
    number = int(rng.integers(1, 100))
    return _pick(
        rng,
        (
            _pick(rng, _ABBREVIATIONS),
            f"{first}&{second}",
            f"{word} & {other}",
            f"{word}&{other}",
            f"{first}-{number % 10}",
            f"{first}.{second}.",
            f"({word.lower()})",
            f"({number % 24 + 1}h)",
            f"#{number}",
            f"#{word.lower()}",
            f"{number}%",
            f"-{number}%",
            f"{number}% off",
            f"{word}!",
            f"{word}?",
            f"{word}:",
            f"{word},",
            f"{word}...",
            f'"{word}"',
            f"'{word}'",
            f"{word}'s",
            f"{word}-{other}",
            f"{word}/{other}",
            f"{word} + {other}",
            f"*{word}*",
            f"{number}+",
            f"<{number} km",
            f"{number}/{number + int(rng.integers(1, 9))}",
            f"[{first}]",
            f"@{word.lower()}",
        ),
    )


def nonsense(rng: np.random.Generator) -> str:
    """xKq7T, wlomp, 4HJ-20W, RRTQ: strings that no language helps to read"""
    length = int(rng.integers(2, 13))
    alphabet = _ALPHABETS[int(rng.integers(len(_ALPHABETS)))]
    text = "".join(alphabet[index] for index in rng.integers(len(alphabet), size=length))
    if length > 4 and rng.random() < 0.15:
        at = int(rng.integers(2, length - 1))
        text = f"{text[:at]}{_pick(rng, '-./_:&')}{text[at:]}"
    return text


PATTERNS: Mapping[str, Pattern] = MappingProxyType(
    {
        function.__name__: function
        for function in (numbers, prices, dates, times, phones, codes, urls, emails, punctuation, nonsense)
    }
)
"""Every pattern by its name."""


def _pick(rng: np.random.Generator, choices: Sequence[object]) -> str:
    return str(choices[int(rng.integers(len(choices)))])


def _letters(rng: np.random.Generator, count: int) -> str:
    return "".join(_LETTERS[index] for index in rng.integers(len(_LETTERS), size=count))


def _site(rng: np.random.Generator, longest: int = 14) -> str:
    """Return a site name of at most `longest` characters: luna, cafe-luna, oak24."""
    name = _pick(rng, _NAMES)
    if (kind := rng.random()) < 0.6:
        name += ("-" if kind < 0.15 else "") + _pick(rng, _NAMES)
    elif kind < 0.75:
        name += str(rng.integers(1, 100))
    return name if len(name) <= longest else name[:longest].rstrip("-")
