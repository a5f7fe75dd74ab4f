import java.util.Locale;

/** One JSON object per line on stdout; see lines.ts for the form. Values need no escaping: ids and numbers only. */
final class Lines {
    private final String worker;

    Lines(String worker) {
        this.worker = worker;
    }

    /** {@code fields} are names and values in turn; a value that starts with a bracket is JSON already. */
    void print(String event, String... fields) {
        StringBuilder line = new StringBuilder(String.format(
                Locale.ROOT, "{\"at\":%d,\"worker\":\"%s\",\"event\":\"%s\"", System.currentTimeMillis(), worker, event));
        for (int i = 0; i < fields.length; i += 2) {
            boolean json = fields[i + 1].startsWith("[");
            String quote = json ? "" : "\"";
            line.append(",\"").append(fields[i]).append("\":").append(quote).append(fields[i + 1]).append(quote);
        }
        synchronized (System.out) {
            System.out.println(line.append('}'));
            System.out.flush();
        }
    }
}
