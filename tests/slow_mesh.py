"""The wavelet simulator once more, message by message and word by word in plain Python: slow, and an oracle.

It shares no code with waferviz.wavelets but the description of the traffic.
"""

from collections import defaultdict
from itertools import pairwise

SIDES = {(0, 1): "east", (0, -1): "west", (1, 0): "south", (-1, 0): "north"}


class Stage:
    """One link or ramp on the way of one message; `times` says when each word came to it."""

    def __init__(self, link, kind, message, lane):
        self.link, self.kind, self.message, self.lane = link, kind, message, lane
        self.times, self.children, self.passed, self.delivers, self.open = [], [], 0, [], True


def way(shape, source, target, route):
    """Cores from source to target, along x first."""
    if route is not None:
        return list(route)
    (sy, sx), (ty, tx) = divmod(source, shape[1]), divmod(target, shape[1])
    xs = [*range(sx, tx, 1 if tx > sx else -1), tx]
    ys = [*range(sy, ty, 1 if ty > sy else -1), ty]
    return [sy * shape[1] + x for x in xs] + [y * shape[1] + tx for y in ys[1:]]


def stages_of(t, index, deliveries, engines, shared_ramp, relayed):
    """Stages of one message, its first one first."""
    columns, source = t.shape[1], int(t.source[index])
    targets = tuple(sorted(int(t.target[d]) for d in deliveries))
    alone = index if relayed["alone"][index] else -1
    lane = (source, targets, int(t.priority[index]), int(t.colour[index]), alone)
    ramp = ("engine", source) if engines else ("in", source) if shared_ramp else ("in", lane)
    first = Stage(ramp, "into", index, lane)
    stages, seen = [first], {source: first}
    for delivery in deliveries:
        cores = way(t.shape, source, int(t.target[delivery]), t.routes.get(index))
        at = first
        for here, there in pairwise(cores):
            if there not in seen or index in t.routes:
                side = SIDES[there // columns - here // columns, there % columns - here % columns]
                seen[there] = Stage((here, side), "link", index, lane)
                at.children.append(seen[there])
                stages.append(seen[there])
            at = seen[there]
        core = cores[-1]
        out = Stage(("out", core) if shared_ramp else ("out", lane, core), "out", index, lane)
        at.children.append(out)
        stages.append(out)
        if delivery in relayed["by"]:
            relayed["ends"][delivery] = out
            continue
        take = Stage(("engine", core) if engines else ("take", lane, core), "take", index, lane)
        take.delivers.append(delivery)
        take.open = not relayed["queued"][delivery]
        out.children.append(take)
        relayed["takes"][delivery] = take
        stages.append(take)
    return stages


def simulate_slowly(  # noqa: PLR0912, PLR0915  (all rules in one place, as a twin to read beside the fast one)
    t, *, hop=1, ramp=2, engines=0, shared_ramp=True, longest=100_000
):
    """(cycle at which each delivery is complete, words over each link)."""
    kinds = ("link", "out") if engines else ("into", "link", "out")
    delay = {"into": ramp, "link": hop, "out": ramp + 1, "take": 0}
    of_message = defaultdict(list)
    for delivery, message in enumerate(t.message):
        of_message[int(message)].append(delivery)
    relays = {int(d): m for m, d in enumerate(t.relays) if d >= 0}
    alone = defaultdict(bool, dict.fromkeys([*relays.values(), *t.routes], True))
    for delivery in [*relays, *t.queues.ravel()]:
        alone[int(t.message[delivery])] = True
    queued = defaultdict(int)
    for _, then in t.queues:
        queued[int(then)] += 1
    relayed = {"alone": alone, "by": relays, "ends": {}, "takes": {}, "queued": queued}
    messages = {}
    for index, deliveries in of_message.items():
        away = [d for d in deliveries if t.target[d] != t.source[index]]
        if away:
            messages[index] = stages_of(t, index, away, engines, shared_ramp, relayed)
    for delivery, message in relays.items():
        if delivery in relayed["ends"]:
            relayed["ends"][delivery].children.append(messages[message][0])
        messages[message][0].delivers.append(delivery)
    wants, holds = defaultdict(list), defaultdict(list)
    missing = [0] * len(t.source)
    for delivery, message in t.needs:
        wants[int(delivery)].append(int(message))
        missing[message] += 1
    for first, then in t.queues:
        holds[int(first)].append(int(then))
    complete, load, last = {}, defaultdict(int), defaultdict(lambda: -1)
    lines, active, first_of = defaultdict(list), [], {}
    for index, stages in messages.items():
        first_of.setdefault(stages[0].lane, index)
    due, mail = defaultdict(list), []
    for index, start in enumerate(t.start):
        if start > 0:
            due[int(start)].append(("free", index))
            missing[index] += 1
    now = 0

    def finish(delivery):
        complete[delivery] = now
        for then in holds[delivery]:
            queued[then] -= 1
            if not queued[then] and then in relayed["takes"]:
                relayed["takes"][then].open = True
        for message in wants[delivery]:
            free(message)

    def free(message):
        missing[message] -= 1
        if missing[message] == 0:
            go(message)

    def go(message):
        words = int(t.words[message])
        if message not in messages and words:
            due[now + words].append(("done", message))
        elif message not in messages or not words:
            for delivery in of_message[message]:
                finish(delivery)
        else:
            for delivery in of_message[message]:
                if t.target[delivery] == t.source[message]:
                    finish(delivery)
            mail.append(message)

    def post():
        for message in sorted(mail):
            first = messages[message][0]
            if t.relays[message] >= 0:
                first.open = True
            else:
                first.times = [now] * int(t.words[message])
                lines[first.lane].append(first)
            active.append(message)
        mail.clear()

    for message in relays.values():
        messages[message][0].open = False
    for message in [m for m, number in enumerate(missing) if number == 0]:
        go(message)
    post()
    while len(complete) < len(t.target):
        for what, message in due.pop(now, ()):
            if what == "free":
                free(message)
            else:
                for delivery in of_message[message]:
                    finish(delivery)
        post()
        claims = defaultdict(list)
        for message in active:
            for stage in messages[message]:
                if stage.passed < len(stage.times) and stage.times[stage.passed] <= now and stage.open:
                    if stage.kind == "into" and stage.lane in lines and lines[stage.lane][0] is not stage:
                        continue
                    came = stage.times[stage.passed] if stage.kind in kinds else 0
                    mark = (stage.link, stage.lane, stage.kind)
                    claims[stage.link].append(
                        (int(t.priority[message]), came, last[mark], first_of[stage.lane], stage)
                    )
        now += 1
        done = []
        for link, each in claims.items():
            stage = min(each, key=lambda claim: claim[:4])[4]
            last[link, stage.lane, stage.kind] = now
            load[link] += 1
            for child in stage.children:
                child.times.append(now - 1 + delay[stage.kind])
            stage.passed += 1
            if stage.passed == t.words[stage.message]:
                done.extend(stage.delivers)
                if stage.kind == "into" and stage.lane in lines and lines[stage.lane][0] is stage:
                    lines[stage.lane].pop(0)
                    if not lines[stage.lane]:
                        del lines[stage.lane]
        for delivery in done:
            finish(delivery)
        post()
        active = [m for m in active if any(s.passed < t.words[m] for s in messages[m])]
        assert now < longest, "the slow mesh does not come to an end"
    return [complete[d] for d in range(len(t.target))], dict(load)
