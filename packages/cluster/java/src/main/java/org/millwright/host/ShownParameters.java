package org.millwright.host;

import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.api.common.ExecutionConfig.GlobalJobParameters;

/** What a job says of itself in Flink's page and REST API: the arguments that whoever submits it marks for that. */
final class ShownParameters extends GlobalJobParameters {
    private static final long serialVersionUID = 1L;
    static final String PREFIX = "millwright.";

    private final TreeMap<String, String> shown = new TreeMap<>();

    /** Keeps those of the arguments whose names begin with {@link #PREFIX}. */
    ShownParameters(Map<String, String> arguments) {
        arguments.forEach((name, value) -> {
            if (name.startsWith(PREFIX)) {
                shown.put(name, value);
            }
        });
    }

    @Override
    public Map<String, String> toMap() {
        return Map.copyOf(shown);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ShownParameters parameters && shown.equals(parameters.shown);
    }

    @Override
    public int hashCode() {
        return shown.hashCode();
    }
}
