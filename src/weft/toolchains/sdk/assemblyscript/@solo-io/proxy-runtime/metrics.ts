// Counters, gauges and histograms of the filter's own.

import * as host from "./imports";
import { MetricTypeValues, WasmResultValues } from "./values";
import { answered_u32, first_answer, most, put, room } from "./wire";

export class MetricResult {
  result: WasmResultValues = WasmResultValues.Ok;
  metric_id: u32 = 0;
}

/** Make a metric known, or find the one of this name. */
export function define_metric(typ: MetricTypeValues, name: string): MetricResult {
  const metric = new MetricResult();
  const at = room(most(name));
  metric.result = host.proxy_define_metric(typ, at, put(name, at), first_answer());
  if (metric.result == WasmResultValues.Ok) metric.metric_id = answered_u32();
  return metric;
}

export function increment_metric(metric_id: u32, offset: i64): WasmResultValues {
  return host.proxy_increment_metric(metric_id, offset);
}

export function record_metric(metric_id: u32, value: u64): WasmResultValues {
  return host.proxy_record_metric(metric_id, value);
}

export class MetricData {
  result: WasmResultValues = WasmResultValues.Ok;
  data: u64 = 0;
}

export function get_metric(metric_id: u32): MetricData {
  const metric = new MetricData();
  metric.result = host.proxy_get_metric(metric_id, first_answer());
  if (metric.result == WasmResultValues.Ok) metric.data = load<u64>(first_answer());
  return metric;
}

export abstract class Metric {
  metric_id: u32;

  constructor(typ: MetricTypeValues, name: string) {
    const metric = define_metric(typ, name);
    if (metric.result != WasmResultValues.Ok) throw new Error("cannot define the metric " + name);
    this.metric_id = metric.metric_id;
  }

  /** The value now, of all workers together. */
  get(): u64 {
    const result = host.proxy_get_metric(this.metric_id, first_answer());
    return result == WasmResultValues.Ok ? load<u64>(first_answer()) : 0;
  }
}

/** Only goes up. */
export class Counter extends Metric {
  constructor(name: string) { super(MetricTypeValues.Counter, name); }

  increment(offset: u32 = 1): WasmResultValues { return increment_metric(this.metric_id, offset); }
}

/** Goes up and down. */
export class Gauge extends Metric {
  constructor(name: string) { super(MetricTypeValues.Gauge, name); }

  increment(offset: i64): WasmResultValues { return increment_metric(this.metric_id, offset); }

  record(value: u64): WasmResultValues { return record_metric(this.metric_id, value); }
}

/** How values are spread. */
export class Histogram extends Metric {
  constructor(name: string) { super(MetricTypeValues.Histogram, name); }

  record(value: u64): WasmResultValues { return record_metric(this.metric_id, value); }
}
