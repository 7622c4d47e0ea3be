"""MQTT QoS 1 through Mosquitto: our worker (durable before PUBACK) beside clients that throw the messages away, in one run.

    python -m bench.mqtt_intake [--messages 200000]

What the broker alone delivers is measured with its own client in C (`mosquitto_sub`, output thrown away) and with paho-mqtt. Messages are
those of substation controllers: JSON with a time and three values. A publisher with pre-made packets keeps a window of 2 000 on the way.
"""

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WINDOW, BURST, DEVICES = 2_000, 100, 200
GOAL = 0.8
CONF = """listener {port} 127.0.0.1
allow_anonymous true
max_inflight_messages 0
max_queued_messages 0
persistence false
set_tcp_nodelay true
log_type error
"""
PROFILE = "protocol: mqtt_json\nkind: station_rtu\npoints: {supply: {quantity: supply_temp}, return: {quantity: return_temp}, p: {quantity: pressure}}\n"
PAHO = """
import sys, time
import paho.mqtt.client as mqtt
n, wanted = 0, int(sys.argv[2])
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
def take(client, data, message):
    global n
    n += 1
    if n == wanted:
        client.disconnect()
client.on_message = take
client.on_connect = lambda client, *rest: client.subscribe("nuan/#", 1)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_forever()
"""


def _length(number: int) -> bytes:
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (128 if number else 0))
        if not number:
            return bytes(out)


def _text(value: str) -> bytes:
    return len(value).to_bytes(2, "big") + value.encode()


def packets(start_s: int) -> list[bytes]:
    """One PUBLISH for each packet id of the window; a packet id is used again only after its PUBACK."""
    made = []
    for number in range(1, WINDOW + 1):
        values = {"supply": 45.2 + number / 1000, "return": 38.11, "p": 0.4}
        payload = json.dumps({"ts": (start_s + number // DEVICES) * 1000, "values": values}).encode()
        body = _text(f"nuan/G1/RTU{number % DEVICES}") + number.to_bytes(2, "big") + payload
        made.append(b"\x32" + _length(len(body)) + body)
    return made


def publish(port: int, messages: int) -> float:
    """Seconds until the broker has acknowledged the last."""
    line = socket.create_connection(("127.0.0.1", port))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    body = _text("MQTT") + bytes([4, 2]) + b"\0\0" + _text("publisher")
    line.sendall(b"\x10" + _length(len(body)) + body)
    line.recv(100)
    made, sent, acknowledged_bytes, begun = packets(int(time.time()) - 60), 0, 0, time.perf_counter()
    while acknowledged_bytes < 4 * messages:
        while sent < messages and sent - acknowledged_bytes // 4 <= WINDOW - BURST:
            at = sent % WINDOW
            line.sendall(b"".join(made[at : at + BURST]))
            sent += BURST
        acknowledged_bytes += len(line.recv(1 << 16))
    return time.perf_counter() - begun


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        path = folder / "mosquitto.conf"
        path.write_text(CONF.format(port=self.port))
        self.process = subprocess.Popen(["mosquitto", "-c", str(path)], stderr=subprocess.DEVNULL)
        time.sleep(0.5)

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()


def thrown_away(command: list[str], port: int, messages: int) -> float:
    """Messages a second that a client takes which does nothing with them."""
    client = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    time.sleep(1.5)
    begun = time.perf_counter()
    publish(port, messages)
    client.wait(timeout=120)
    return messages / (time.perf_counter() - begun)


def _worker(folder: Path, port: int) -> tuple[subprocess.Popen[bytes], Path]:
    from nuan.operations.intake_settings import BrokerAddress, WorkerSettings

    state, root = folder / "intake", folder / "readings"
    shutil.rmtree(state, ignore_errors=True)
    shutil.rmtree(root, ignore_errors=True)
    state.mkdir()
    devices = [[f"RTU{n}", f"H01-S{n:03d}", "rtu", "room"] for n in range(DEVICES)]
    document = {
        "edition": 1, "gateways": [["G1", "C01", "mqtt", "Asia/Shanghai", 10**9, 10**6, "device"]], "digests": {},
        "profiles": {"rtu": PROFILE}, "devices": {"G1": devices},
    }  # fmt: skip
    (state / "directory.json").write_text(json.dumps(document))
    settings = WorkerSettings(0, str(root), str(state), 1, BrokerAddress("127.0.0.1", port), "bench")
    process = subprocess.Popen([sys.executable, "-m", "nuan.operations.intake_worker"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(settings.as_json().encode() + b"\n")
    process.stdin.flush()
    return process, state / "w0.json"


def _acknowledged(path: Path) -> int:
    try:
        return int((json.loads(path.read_text())["mqtt"] or {}).get("acknowledged", 0))
    except (OSError, ValueError):
        return 0


def durable(folder: Path, port: int, messages: int) -> dict[str, float]:
    """Messages a second that the worker reads, writes down, syncs and acknowledges; counted by its own lane afterwards."""
    from nuan.telemetry.store.lanes import Lane

    process, report = _worker(folder, port)
    try:
        while not report.is_file() or not (json.loads(report.read_text())["mqtt"] or {}).get("connected"):
            time.sleep(0.1)
        publish(port, 20_000)  # numba's kernels and the table of names, once
        while _acknowledged(report) < 20_000:
            time.sleep(0.05)
        begun = time.perf_counter()
        publish(port, messages)
        published = time.perf_counter() - begun
        while _acknowledged(report) < 20_000 + messages:
            time.sleep(0.01)
        seconds = time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
    with Lane(folder / "readings", "w0") as lane:
        from nuan.telemetry.store import frames
        from nuan.telemetry.store.journal import JournalReader

        found = JournalReader(lane.folder / "frames").new_frames(0)
        readings = sum(len(frame.readings()) for frame in found if frame.kind == frames.ARRIVED)
    assert readings == 3 * (messages + 20_000), readings
    # the report is written once a second: the true end lies within the last second
    return {"messages_per_s": messages / seconds, "published_per_s": messages / published, "syncs": len(found)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=300_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "mqtt_intake.json")
    chosen, _ = parser.parse_known_args()
    n = chosen.messages // BURST * BURST
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Broker(folder) as broker:
            sub = ["mosquitto_sub", "-p", str(broker.port), "-V", "5", "-q", "1", "-t", "nuan/#", "-C", str(n)]
            alone = thrown_away(sub, broker.port, n)
        with Broker(folder) as broker:
            paho = thrown_away([sys.executable, "-c", PAHO, str(broker.port), str(n // 2)], broker.port, n // 2)
        with Broker(folder) as broker:
            ours = durable(folder, broker.port, n)
    share = ours["messages_per_s"] / alone
    result = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}", "load": os.getloadavg()[0], "messages": n, "values_per_message": 3,
        "mosquitto_sub_thrown_away_per_s": round(alone), "paho_thrown_away_per_s": round(paho),
        "nuan_durable_per_s": round(ours["messages_per_s"]), "share_of_broker": round(share, 3), "goal": GOAL,
    }  # fmt: skip
    chosen.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(f"broker alone, messages thrown away (mosquitto_sub, C)  {alone:10,.0f} /s")
    print(f"the same with paho-mqtt                                {paho:10,.0f} /s")
    print(
        f"Nuan, durable before each PUBACK                       {ours['messages_per_s']:10,.0f} /s   {share:.0%} of the broker"
    )
    print(f"goal: {GOAL:.0%}   {'reached' if share >= GOAL else 'missed'}")
    return 0 if share >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
