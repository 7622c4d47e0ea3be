"""In: MQTT 5 packets of a broker. Out: its messages in bulk, and acknowledgements when somebody says that they are safe.

The subscriber's half of the protocol and no more; ADR 15 says why no client library carries it.
"""
