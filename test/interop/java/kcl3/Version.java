import software.amazon.kinesis.coordinator.CoordinatorConfig;
import software.amazon.kinesis.coordinator.CoordinatorConfig.ClientVersionConfig;
import software.amazon.kinesis.leases.LeaseManagementConfig;

/** What only KCL 3 has: the mode of the fleet, and metrics of the machine. */
final class Version {
    private Version() {}

    static CoordinatorConfig coordinator(CoordinatorConfig config) {
        return config.clientVersionConfig(ClientVersionConfig.valueOf(System.getenv("INTEROP_MODE")));
    }

    /** Without metrics of its own a worker is balanced by throughput; looking for EC2 would leave this machine. */
    static LeaseManagementConfig leases(LeaseManagementConfig config) {
        config.workerUtilizationAwareAssignmentConfig().disableWorkerMetrics(true);
        return config;
    }
}
