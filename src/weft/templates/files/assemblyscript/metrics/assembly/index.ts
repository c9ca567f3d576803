// Counts and times requests in metrics of its own.

export * from "@solo-io/proxy-runtime/proxy"; // what Envoy calls
import {
  Context, Counter, FilterHeadersStatusValues, Gauge, get_current_time_nanoseconds, Histogram, registerRootContext,
  RootContext, stream_context,
} from "@solo-io/proxy-runtime";
import { Config } from "weft/config";

/** The filter as it is configured: one for all requests. */
class MyFilterRoot extends RootContext {
  total!: Counter;
  active!: Gauge;
  duration!: Histogram;

  onConfigure(configuration_size: u32): bool {
    const config = Config.parse(this.configuration);
    const prefix = config.string("prefix", "my_filter");
    if (prefix == "") config.refuse("prefix", "must not be empty");
    if (!config.accepted()) return false;

    this.total = new Counter(prefix + "_requests_total");
    this.active = new Gauge(prefix + "_requests_active");
    this.duration = new Histogram(prefix + "_duration_ms");
    return true;
  }

  createContext(context_id: u32): Context {
    return new MyFilter(context_id, this);
  }
}

/** One request and its response. */
class MyFilter extends Context {
  private started_at: u64 = 0;

  constructor(context_id: u32, private root: MyFilterRoot) {
    super(context_id, root);
  }

  onRequestHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    this.started_at = get_current_time_nanoseconds();
    this.root.total.increment();
    this.root.active.increment(1);
    return FilterHeadersStatusValues.Continue;
  }

  onResponseHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    stream_context.headers.response.replace("x-requests-seen", this.root.total.get().toString());
    return FilterHeadersStatusValues.Continue;
  }

  onDone(): bool {
    if (this.started_at != 0) {
      this.root.active.increment(-1);
      this.root.duration.record((get_current_time_nanoseconds() - this.started_at) / 1000000);
    }
    return true;
  }
}

registerRootContext((context_id: u32) => new MyFilterRoot(context_id), "my_filter");
