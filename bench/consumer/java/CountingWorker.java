import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import software.amazon.awssdk.awscore.client.builder.AwsAsyncClientBuilder;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.MetricsLevel;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * The KCL as another reader of the bench, with its defaults but for those named here. Does what ours does: counts bytes,
 * checkpoints each three seconds, pauses 200 ms between two reads of a shard. Each line on stdout is a WorkerMessage.
 */
public final class CountingWorker {
    private static final int RECORDS_PER_READ = 10_000;
    private static final long READ_MILLIS = 200;
    private static final long CHECKPOINT_NANOS = 3_000_000_000L;
    /** A worker rests so long between its first look at the stream and its first record; the default is a minute. */
    private static final long SHARD_SYNC_MILLIS = 1_000;

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final double BEGAN_CPU_MILLIS = cpuMillis();
    private static final long WANTED = Long.parseLong(System.getenv("BENCH_RECORDS"));

    private static long records;
    private static long bytes;
    private static double warmCpuMillis;
    private static long warmRecords;
    private static long warmBytes;

    private CountingWorker() {}

    public static void main(String[] arguments) {
        endWithParent();
        tell("running", "");
        scheduler(System.getenv("BENCH_STREAM")).run();
    }

    /** Nothing is ever written to it: its end is that of the process that started this one. */
    private static void endWithParent() {
        Thread watch = new Thread(() -> {
            try {
                System.in.read();
            } catch (IOException broken) {
                System.err.println(broken);
            }
            Runtime.getRuntime().halt(0);
        });
        watch.setDaemon(true);
        watch.start();
    }

    private static Scheduler scheduler(String stream) {
        KinesisAsyncClient kinesis = local(KinesisAsyncClient.builder(), System.getenv("BENCH_KINESIS"));
        String dynamodb = System.getenv("BENCH_DYNAMODB");
        ConfigsBuilder configs = new ConfigsBuilder(
                new SingleStreamTracker(stream, InitialPositionInStreamExtended.newInitialPosition(
                        InitialPositionInStream.TRIM_HORIZON)),
                System.getenv("BENCH_TABLE"),
                kinesis,
                local(DynamoDbAsyncClient.builder(), dynamodb),
                // Never called: the metrics go nowhere.
                local(CloudWatchAsyncClient.builder(), dynamodb),
                "bench",
                Counting::new);
        PollingConfig polling = new PollingConfig(stream, kinesis)
                .maxRecords(RECORDS_PER_READ)
                .idleTimeBetweenReadsInMillis(READ_MILLIS);
        return new Scheduler(
                configs.checkpointConfig(),
                configs.coordinatorConfig(),
                Version.leases(configs.leaseManagementConfig().shardSyncIntervalMillis(SHARD_SYNC_MILLIS)),
                configs.lifecycleConfig(),
                configs.metricsConfig().metricsFactory(new NullMetricsFactory()).metricsLevel(MetricsLevel.NONE),
                configs.processorConfig(),
                configs.retrievalConfig().retrievalSpecificConfig(polling));
    }

    private static <B extends AwsClientBuilder<B, C> & AwsAsyncClientBuilder<B, C>, C> C local(
            B builder, String endpoint) {
        return builder.endpointOverride(URI.create(endpoint))
                .httpClientBuilder(NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP1_1))
                .build();
    }

    private static synchronized void count(long moreRecords, long moreBytes) {
        long before = records;
        records += moreRecords;
        bytes += moreBytes;
        if (warmRecords == 0 && records >= WANTED / 4) {
            warmRecords = records;
            warmBytes = bytes;
            warmCpuMillis = cpuMillis();
        }
        if (before < WANTED && records >= WANTED) {
            tell("usage", usage());
        }
    }

    private static String usage() {
        double whole = cpuMillis();
        return String.format(
                Locale.ROOT,
                ",\"usage\":{\"records\":%d,\"bytes\":%d,\"cpuMs\":%.3f,\"processCpuMs\":%.3f,\"peakBytes\":%d,"
                        + "\"warm\":{\"records\":%d,\"bytes\":%d,\"cpuMs\":%.3f},"
                        + "\"calls\":{\"total\":{},\"perSecondMax\":{},\"perShardSecondMax\":{}}}",
                records, bytes, whole - BEGAN_CPU_MILLIS, whole, peakBytes(),
                records - warmRecords, bytes - warmBytes, whole - warmCpuMillis);
    }

    private static double cpuMillis() {
        return SYSTEM.getProcessCpuTime() / 1e6;
    }

    private static long peakBytes() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmHWM:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1_024;
                }
            }
            throw new IllegalStateException("/proc/self/status has no VmHWM");
        } catch (IOException unreadable) {
            throw new IllegalStateException(unreadable);
        }
    }

    private static void tell(String type, String more) {
        System.out.printf(
                Locale.ROOT, "{\"type\":\"%s\",\"atMs\":%.3f%s}%n", type, System.nanoTime() / 1e6, more);
    }

    private static final class Counting implements ShardRecordProcessor {
        private long checkpointedNanos = System.nanoTime();

        @Override
        public void initialize(InitializationInput input) {}

        @Override
        public void processRecords(ProcessRecordsInput input) {
            long size = 0;
            for (KinesisClientRecord record : input.records()) {
                size += record.data().remaining();
            }
            count(input.records().size(), size);
            if (System.nanoTime() - checkpointedNanos >= CHECKPOINT_NANOS) {
                try {
                    input.checkpointer().checkpoint();
                } catch (InvalidStateException | ShutdownException broken) {
                    throw new IllegalStateException(broken);
                }
                checkpointedNanos = System.nanoTime();
            }
        }

        @Override
        public void leaseLost(LeaseLostInput input) {}

        @Override
        public void shardEnded(ShardEndedInput input) {}

        @Override
        public void shutdownRequested(ShutdownRequestedInput input) {}
    }
}
