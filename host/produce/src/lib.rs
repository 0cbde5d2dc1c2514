//! Market messages into Kafka: a synthetic market, recordings, and a broker of our own for the demo.
