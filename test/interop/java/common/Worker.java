import java.net.URI;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.metrics.MetricsLevel;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/** A KCL worker whose settings are environment variables (see fleet.ts); SIGTERM is a graceful shutdown. */
public final class Worker {
    private static final long STOP_SECONDS = 20;
    private static final long IDLE_MILLIS = 500;
    private static final long PARENT_POLL_MILLIS = 1_000;
    /** A worker rests so long between its first look at the stream and its first record; the default is a minute. */
    private static final long SHARD_SYNC_MILLIS = 1_000;

    private Worker() {}

    public static void main(String[] arguments) {
        Lines lines = new Lines(setting("INTEROP_WORKER"));
        Scheduler scheduler = scheduler(lines);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(scheduler, lines)));
        lines.print("started");
        scheduler.run();
    }

    private static Scheduler scheduler(Lines lines) {
        String stream = setting("INTEROP_STREAM");
        KinesisAsyncClient kinesis = local(KinesisAsyncClient.builder(), setting("INTEROP_KINESIS"));
        ConfigsBuilder configs = new ConfigsBuilder(
                new SingleStreamTracker(stream, InitialPositionInStreamExtended.newInitialPosition(
                        InitialPositionInStream.TRIM_HORIZON)),
                setting("INTEROP_TABLE"),
                kinesis,
                local(DynamoDbAsyncClient.builder(), setting("INTEROP_DYNAMODB")),
                // Never called: the metrics go nowhere.
                local(CloudWatchAsyncClient.builder(), setting("INTEROP_DYNAMODB")),
                setting("INTEROP_WORKER"),
                () -> new PrintingProcessor(lines));
        PollingConfig polling = new PollingConfig(stream, kinesis).idleTimeBetweenReadsInMillis(IDLE_MILLIS);
        return new Scheduler(
                configs.checkpointConfig(),
                Version.coordinator(configs.coordinatorConfig().parentShardPollIntervalMillis(PARENT_POLL_MILLIS)),
                Version.leases(configs.leaseManagementConfig()
                        .shardSyncIntervalMillis(SHARD_SYNC_MILLIS)
                        .failoverTimeMillis(Long.parseLong(setting("INTEROP_FAILOVER_MS")))),
                configs.lifecycleConfig(),
                configs.metricsConfig().metricsFactory(new NullMetricsFactory()).metricsLevel(MetricsLevel.NONE),
                configs.processorConfig(),
                configs.retrievalConfig().retrievalSpecificConfig(polling));
    }

    private static <B extends AwsClientBuilder<B, C>
                    & software.amazon.awssdk.awscore.client.builder.AwsAsyncClientBuilder<B, C>, C>
            C local(B builder, String endpoint) {
        return builder.endpointOverride(URI.create(endpoint))
                .region(Region.of(setting("AWS_REGION")))
                .httpClientBuilder(NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP1_1))
                .build();
    }

    private static void stop(Scheduler scheduler, Lines lines) {
        String how;
        try {
            how = scheduler.startGracefulShutdown().get(STOP_SECONDS, TimeUnit.SECONDS) ? "graceful" : "hurried";
        } catch (TimeoutException | ExecutionException late) {
            how = "failed";
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            how = "interrupted";
        }
        lines.print("stopped", "how", how);
    }

    private static String setting(String name) {
        String value = System.getenv(name);
        if (value == null) {
            throw new IllegalArgumentException("Set " + name);
        }
        return value;
    }
}
