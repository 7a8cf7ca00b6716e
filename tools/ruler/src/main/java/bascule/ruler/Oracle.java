package bascule.ruler;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;
import software.amazon.event.ruler.MachineComplexityEvaluator;
import software.amazon.event.ruler.MatchType;
import software.amazon.event.ruler.Patterns;

/**
 * Answers lines {"pattern": TEXT, "event": TEXT} with what AWS's own matcher says to the pair, a line each:
 * {"match": BOOL, "complexity": N}, {"refused": MESSAGE} for the pattern, {"event": MESSAGE} for an event that it cannot
 * read, or {"failed": MESSAGE} where it throws what no caller would expect.
 *
 * One machine a pair, and patterns only through the compiler that knows $or: Machine.addRule would try an older one too.
 *
 * With "apart": true the pattern is matched as the library would if nothing stood beside a term: in a machine for each
 * choice of one alternative and one term a field, each with rules beside it that want numbers of the same fields, and by
 * its older way to search (the newer one loses values of a field that lie outside an array in which others lie); "doubles"
 * says whether all numbers of the pair are doubles that this Java writes as newer ones do (JDK-4511638, mended in 19).
 */
public final class Oracle {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern NUMBER = Pattern.compile("-?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?");
    private static final int COMPLEXITY_ENOUGH = 11;
    private static final int CHOICES_MAX = 50_000;

    private Oracle() {}

    public static void main(String[] arguments) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.write(JSON.writeValueAsString(answer(JSON.readTree(line))));
            out.newLine();
            if (!in.ready()) {
                out.flush();
            }
        }
        out.flush();
    }

    private static ObjectNode answer(JsonNode request) {
        ObjectNode answer = JSON.createObjectNode();
        if (request.path("apart").booleanValue()) {
            boolean areShortest = areShortest(request.get("pattern").textValue(), request.get("event").textValue());
            answer.put("doubles", areShortest);
            if (!areShortest) {
                return answer;
            }
        }
        List<Map<String, List<Patterns>>> alternatives;
        Machine machine = Machine.builder().build();
        try {
            alternatives = JsonRuleCompiler.compile(request.get("pattern").textValue());
        } catch (JsonParseException | IllegalArgumentException e) {
            return answer.put("refused", e.getMessage());
        } catch (Exception | StackOverflowError e) {
            return answer.put("failed", e.toString());
        }
        try {
            for (Map<String, List<Patterns>> alternative : alternatives) {
                machine.addPatternRule("rule", alternative);
            }
            answer.put("complexity", complexity(machine, alternatives));
        } catch (Exception | StackOverflowError e) {
            return answer.put("failed", e.toString());
        }
        try {
            String event = request.get("event").textValue();
            if (request.path("apart").booleanValue()) {
                return countChoices(alternatives) > CHOICES_MAX ? answer : answer.put("match", matchesApart(alternatives, event));
            }
            return answer.put("match", machine.rulesForJSONEvent(event).contains("rule"));
        } catch (IOException e) {
            return answer.put("event", e.getMessage());
        } catch (Exception | StackOverflowError e) {
            return answer.put("event", e.toString());
        }
    }

    /** Only wildcards count; to look for none of them in a large machine takes time. */
    private static int complexity(Machine machine, List<Map<String, List<Patterns>>> alternatives) {
        boolean hasWildcard = alternatives.stream().flatMap(alternative -> alternative.values().stream()).flatMap(List::stream)
                .anyMatch(term -> term.type() == MatchType.WILDCARD || term.type() == MatchType.ANYTHING_BUT_WILDCARD);
        return hasWildcard ? machine.evaluateComplexity(new MachineComplexityEvaluator(COMPLEXITY_ENOUGH)) : 0;
    }

    private static boolean matchesApart(List<Map<String, List<Patterns>>> alternatives, String event) throws Exception {
        for (Map<String, List<Patterns>> alternative : alternatives) {
            for (Map<String, List<Patterns>> choice : choices(alternative)) {
                Machine machine = Machine.builder().withStructuredMatching(false).build();
                machine.addPatternRule("rule", choice);
                addNeighbours(machine, choice);
                if (machine.rulesForJSONEvent(event).contains("rule")) {
                    return true;
                }
            }
        }
        return false;
    }

    private static double countChoices(List<Map<String, List<Patterns>>> alternatives) {
        double all = 0;
        for (Map<String, List<Patterns>> alternative : alternatives) {
            double choices = 1;
            for (List<Patterns> terms : alternative.values()) {
                choices *= terms.size();
            }
            all += choices;
        }
        return all;
    }

    /** Every way to take one term of each field. */
    private static List<Map<String, List<Patterns>>> choices(Map<String, List<Patterns>> alternative) {
        List<Map<String, List<Patterns>>> all = new ArrayList<>(List.of(new HashMap<>()));
        for (Map.Entry<String, List<Patterns>> field : alternative.entrySet()) {
            List<Map<String, List<Patterns>>> longer = new ArrayList<>();
            for (Map<String, List<Patterns>> choice : all) {
                for (Patterns term : field.getValue()) {
                    Map<String, List<Patterns>> with = new HashMap<>(choice);
                    with.put(field.getKey(), List.of(term));
                    longer.add(with);
                }
            }
            all = longer;
        }
        return all;
    }

    /** For each field, a rule that is the same but for it, and wants a number there. */
    private static void addNeighbours(Machine machine, Map<String, List<Patterns>> choice) {
        for (String field : choice.keySet()) {
            Map<String, List<Patterns>> neighbour = new HashMap<>(choice);
            neighbour.put(field, List.of(Patterns.numericEquals("-0.25")));
            machine.addPatternRule("neighbour", neighbour);
        }
    }

    /** Whether each number in the texts is a double that is written with the fewest digits that tell it. */
    private static boolean areShortest(String... texts) {
        for (String text : texts) {
            Matcher numbers = NUMBER.matcher(text);
            while (numbers.find()) {
                double value = Double.parseDouble(numbers.group());
                if (!Double.isInfinite(value) && !isShortest(value)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static boolean isShortest(double value) {
        BigDecimal exact = new BigDecimal(value);
        for (int digits = 2; digits <= 17; digits++) {
            BigDecimal rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            if (rounded.doubleValue() == value) {
                return rounded.compareTo(BigDecimal.valueOf(value)) == 0;
            }
        }
        return true;
    }
}
