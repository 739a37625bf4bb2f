package org.millwright.host;

import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.api.operators.TwoInputStreamOperatorFactory;

/** How Flink makes the two operators on a task manager. */
final class OperatorFactories {
    private OperatorFactories() {}

    /** Makes {@link BundleOperator}, in one task with its source. */
    static final class Bundles extends AbstractStreamOperatorFactory<byte[]> implements OneInputStreamOperatorFactory<InputRecord, byte[]> {
        private static final long serialVersionUID = 1L;
        private final JobOptions options;

        Bundles(JobOptions options) {
            this.options = options;
            setChainingStrategy(ChainingStrategy.ALWAYS);
        }

        @Override
        @SuppressWarnings("unchecked")
        public <T extends StreamOperator<byte[]>> T createStreamOperator(StreamOperatorParameters<byte[]> parameters) {
            return (T) new BundleOperator(parameters, options);
        }

        @Override
        @SuppressWarnings("rawtypes")
        public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
            return BundleOperator.class;
        }
    }

    /** Makes {@link GuestOperator}. */
    static final class Guests extends AbstractStreamOperatorFactory<byte[]> implements TwoInputStreamOperatorFactory<byte[], byte[], byte[]> {
        private static final long serialVersionUID = 1L;
        private final JobOptions options;
        private final GuestScript script;
        private final ControlLog controlLog;

        Guests(JobOptions options, GuestScript script, ControlLog controlLog) {
            this.options = options;
            this.script = script;
            this.controlLog = controlLog;
            setChainingStrategy(ChainingStrategy.HEAD);
        }

        @Override
        @SuppressWarnings("unchecked")
        public <T extends StreamOperator<byte[]>> T createStreamOperator(StreamOperatorParameters<byte[]> parameters) {
            return (T) new GuestOperator(parameters, options, script, controlLog);
        }

        @Override
        @SuppressWarnings("rawtypes")
        public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
            return GuestOperator.class;
        }
    }
}
