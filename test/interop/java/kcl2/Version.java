import software.amazon.kinesis.coordinator.CoordinatorConfig;
import software.amazon.kinesis.leases.LeaseManagementConfig;

/** What only one major version of KCL has: nothing, in 2. */
final class Version {
    private Version() {}

    static CoordinatorConfig coordinator(CoordinatorConfig config) {
        return config;
    }

    static LeaseManagementConfig leases(LeaseManagementConfig config) {
        return config;
    }
}
