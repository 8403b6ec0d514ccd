"""Where the merged figures of a run go while it goes on: each exporter one file, none of which knows Locust.

buckets     bounds on which histograms are counted exactly
reading     the merged run at one moment, and one merged second of it
families    a reading as counters, gauges and histograms: what Prometheus and OTLP show
prometheus  `/metrics`, read by whoever asks
sink        delivery to a place that may be slow or down
otlp        the families, pushed by OpenTelemetry's own exporter
influx      the merged seconds as InfluxDB lines
jsonl       the merged seconds as lines of JSON in a file
"""
