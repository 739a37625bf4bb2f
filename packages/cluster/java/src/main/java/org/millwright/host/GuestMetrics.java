package org.millwright.host;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** The guest's counters among Flink's metrics: a label {@code name{label="value"}} becomes a group of its own. */
final class GuestMetrics {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern LABELLED = Pattern.compile("(\\w+)\\{(\\w+)=\"(.*)\"\\}");

    private final MetricGroup group;
    private final Map<String, AtomicLong> values = new HashMap<>();

    GuestMetrics(MetricGroup group) {
        this.group = group;
    }

    /** Takes the counters as the guest gives them: a JSON object of numbers. */
    void take(String json) throws Exception {
        JSON.readTree(json).fields().forEachRemaining(entry ->
                values.computeIfAbsent(entry.getKey(), this::register).set(entry.getValue().asLong()));
    }

    private AtomicLong register(String name) {
        AtomicLong value = new AtomicLong();
        Gauge<Long> gauge = value::get;
        Matcher labelled = LABELLED.matcher(name);
        if (labelled.matches()) {
            group.addGroup(labelled.group(2), labelled.group(3)).gauge(labelled.group(1), gauge);
        } else {
            group.gauge(name, gauge);
        }
        return value;
    }
}
