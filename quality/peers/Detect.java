import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoublePredicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import moa.classifiers.core.driftdetection.ADWIN;
import moa.classifiers.core.driftdetection.ADWINChangeDetector;
import moa.classifiers.core.driftdetection.ChangeDetector;
import moa.classifiers.core.driftdetection.SEEDChangeDetector;

/**
 * When MOA's detectors, with their defaults, signal a change in streams of errors.
 *
 * <pre>Detect FILE</pre>
 *
 * FILE has a line per stream, a 0 (right) or 1 (wrong) per row. Printed is a line of JSON per stream: the detectors and at the end of which
 * rows, counted from 0, each signalled.
 */
public class Detect {
    /** A detector takes an error and says whether it signals a change. */
    private static final Map<String, Supplier<DoublePredicate>> DETECTORS = new LinkedHashMap<>();

    static {
        DETECTORS.put("ADWIN", () -> new ADWIN()::setInput);
        DETECTORS.put("ADWIN (rises)", () -> signalsOf(new ADWINChangeDetector()));
        DETECTORS.put("SEED", () -> signalsOf(new SEEDChangeDetector()));
    }

    public static void main(String[] args) throws IOException {
        for (String errors : Files.readAllLines(Path.of(args[0]))) {
            System.out.println(DETECTORS.entrySet().stream()
                .map(detector -> "\"%s\":%s".formatted(detector.getKey(), rowsOfChanges(detector.getValue().get(), errors)))
                .collect(Collectors.joining(",", "{", "}")));
        }
    }

    private static DoublePredicate signalsOf(ChangeDetector detector) {
        return error -> {
            detector.input(error);
            return detector.getChange();
        };
    }

    private static List<Integer> rowsOfChanges(DoublePredicate detector, String errors) {
        List<Integer> rows = new ArrayList<>();
        for (int row = 0; row < errors.length(); row++) {
            if (detector.test(errors.charAt(row) - '0')) rows.add(row);
        }
        return rows;
    }
}
