package org.millwright.host;

import com.caoccao.javet.exceptions.JavetException;
import com.caoccao.javet.exceptions.JavetExecutionException;
import com.caoccao.javet.values.reference.V8ValueObject;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** Says of a guest's failure what, at which record, and where in the sources. */
final class GuestFailures {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final GuestScript script;
    private final long callMsMax;
    /** {@code null} before V8 is made. */
    private HeapLimit heap;
    /** {@code null} before the script has run. */
    private V8ValueObject functions;

    GuestFailures(GuestScript script, long callMsMax) {
        this.script = script;
        this.callMsMax = callMsMax;
    }

    /** From now on the guest can be asked for places. */
    void askOf(V8ValueObject guestFunctions) {
        functions = guestFunctions;
    }

    /** From now on the heap's limit is known. */
    void heapIs(HeapLimit limit) {
        heap = limit;
    }

    /** What the guest itself says of its failure. */
    GuestFailedException ofGuest(JsonNode failure) {
        String what = failure.path("name").asText() + ": " + failure.path("message").asText();
        return new GuestFailedException(what + place(failure) + "\n" + inSources(failure.path("stack").asText()));
    }

    /** What V8 says of a call that it did not come back from, or that threw beyond the guest. */
    GuestFailedException ofCall(String what, JavetException thrown, CallLimits.Reason reason) {
        StringBuilder message = new StringBuilder(what);
        if (reason != null) {
            message.append(", since ").append(because(reason));
        }
        message.append(": ").append(thrown.getMessage());
        JsonNode atHand = atHand();
        if (atHand != null) {
            message.append(place(atHand));
            if (!atHand.path("where").isNull()) {
                message.append(", in the project's function of ").append(atHand.path("where").asText()).append(placeOf(atHand));
            }
        }
        if (thrown instanceof JavetExecutionException execution && execution.getScriptingError() != null) {
            message.append('\n').append(inSources(String.valueOf(execution.getScriptingError().getStack())));
        }
        GuestFailedException failed = new GuestFailedException(message.toString());
        // Not its cause: whoever looks for the root of a failure is to find this message, which has all that V8 said.
        failed.addSuppressed(thrown);
        return failed;
    }

    /** Where the project's function stands that is under way: {@code " (FILE.ts:LINE:COLUMN)"}, empty where that is not known. */
    String placeOfTheCallAtHand() {
        JsonNode atHand = atHand();
        return atHand == null ? "" : placeOf(atHand);
    }

    private String because(CallLimits.Reason reason) {
        return switch (reason) {
            case CALL_TOO_LONG -> "it took longer than " + callMsMax + " ms of processor time";
            case FUNCTION_TOO_LONG -> "a project's function did not come back";
            case HEAP_FULL, FUNCTION_FILLED_HEAP -> "its heap came to its limit of " + heap.limitBytes() / (1024 * 1024) + " MB";
        };
    }

    private static String place(JsonNode failure) {
        if (failure.path("topic").isNull() || failure.path("topic").isMissingNode()) {
            return "";
        }
        return " (at offset " + failure.path("offset").asLong() + " of \"" + failure.path("topic").asText() + "\", partition "
                + failure.path("partition").asInt() + ')';
    }

    /** The text of a function is a piece of the script: where that stands, the source map knows more of. */
    private String placeOf(JsonNode atHand) {
        String text = atHand.path("functionText").asText("");
        int at = text.isEmpty() ? -1 : script.source().indexOf(text);
        if (at < 0) {
            return "";
        }
        int lineStart = script.source().lastIndexOf('\n', at) + 1;
        long line = script.source().substring(0, lineStart).chars().filter(character -> character == '\n').count() + 1;
        return " (" + inSources(GuestScript.NAME + ":" + line + ":" + (at - lineStart + 1)) + ")";
    }

    private JsonNode atHand() {
        try {
            return functions == null ? null : JSON.readTree(functions.invokeString("atHand"));
        } catch (JavetException | JsonProcessingException unknown) {
            // The failure itself is told all the same.
            return null;
        }
    }

    private String inSources(String stack) {
        try {
            return functions == null ? stack : functions.invokeString("explain", stack, script.sourceMap());
        } catch (JavetException unexplained) {
            return stack;
        }
    }
}
