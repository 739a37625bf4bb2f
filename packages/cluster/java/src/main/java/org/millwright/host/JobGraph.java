package org.millwright.host;

import org.apache.flink.api.common.typeinfo.BasicTypeInfo;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.transformations.PartitionTransformation;
import org.apache.flink.streaming.api.transformations.TwoInputTransformation;

/** The job between its sources and its sinks. */
final class JobGraph {
    private static final TypeInformation<byte[]> BYTES = PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO;

    private JobGraph() {}

    /**
     * Connects records and control records with the guest; returns its outputs, as {@link OutputRecords} takes them.
     *
     * @param records as {@link InputRecords} makes them, with watermarks
     */
    static DataStream<byte[]> connect(
            StreamExecutionEnvironment environment,
            DataStream<InputRecord> records,
            DataStream<byte[]> control,
            JobOptions options,
            GuestScript script,
            ControlLog controlLog) {
        environment.setMaxParallelism(options.maxParallelism());
        environment.getConfig().enableObjectReuse();
        // Records that are merged wait for a watermark: no longer than others wait for a bundle.
        environment.getConfig().setAutoWatermarkInterval(options.mergeInputs() ? options.flushIntervalMs() : 200);
        DataStream<byte[]> bundles =
                records.transform("bundles", BYTES, new OperatorFactories.Bundles(options))
                        .uid("bundles")
                        // As its source: between the two a partition would lose its order.
                        .setParallelism(records.getParallelism());
        PartitionTransformation<byte[]> partitioned =
                new PartitionTransformation<>(bundles.getTransformation(), new BundlePartitioner(options.maxParallelism()));
        TwoInputTransformation<byte[], byte[], byte[]> guest = new TwoInputTransformation<>(
                partitioned,
                control.broadcast().getTransformation(),
                "guest",
                new OperatorFactories.Guests(options, script, controlLog),
                BYTES,
                environment.getParallelism());
        guest.setUid("guest");
        guest.setStateKeySelectors(new NoKey(), null);
        guest.setStateKeyType(BasicTypeInfo.STRING_TYPE_INFO);
        environment.addOperator(guest);
        return new DataStream<>(environment, guest);
    }

    /** The operator says which key it is at: a bundle has many. */
    private static final class NoKey implements KeySelector<byte[], String> {
        private static final long serialVersionUID = 1L;

        @Override
        public String getKey(byte[] bundle) {
            throw new IllegalStateException("A bundle has no key of its own");
        }
    }
}
