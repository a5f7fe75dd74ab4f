import java.util.stream.Collectors;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** Tells what it is given, and checkpoints after each batch. */
final class PrintingProcessor implements ShardRecordProcessor {
    private final Lines lines;
    private String shard;

    PrintingProcessor(Lines lines) {
        this.lines = lines;
    }

    @Override
    public void initialize(InitializationInput input) {
        shard = input.shardId();
        lines.print("begin", "shard", shard, "from", input.extendedSequenceNumber().sequenceNumber());
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
        if (input.records().isEmpty()) {
            return;
        }
        lines.print("batch", "shard", shard, "records", input.records().stream()
                .map(PrintingProcessor::pair)
                .collect(Collectors.joining(",", "[", "]")));
        checkpoint(input.checkpointer());
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
        lines.print("end", "shard", shard, "why", "lost");
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
        checkpoint(input.checkpointer());
        lines.print("end", "shard", shard, "why", "shard-end");
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
        checkpoint(input.checkpointer());
        lines.print("end", "shard", shard, "why", "drained");
    }

    private void checkpoint(RecordProcessorCheckpointer checkpointer) {
        try {
            checkpointer.checkpoint();
        } catch (ShutdownException fenced) {
            lines.print("fenced", "shard", shard);
        } catch (InvalidStateException broken) {
            throw new IllegalStateException("The lease table failed", broken);
        }
    }

    private static String pair(KinesisClientRecord record) {
        return "[\"" + record.partitionKey() + "\",\"" + record.sequenceNumber() + "\"]";
    }
}
