"""In: what devices send, over HTTP and MQTT. Out: readings and dead letters, safe on disk before anybody is told so."""
