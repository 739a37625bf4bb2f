package org.millwright.host;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Looks after calls that may not come back. One thread looks after all guests of a process, and ends with the last of them.
 */
final class CallWatchdog {
    /** A guest that may be in a call. */
    interface Watched {
        /** Looks at the call at hand, if there is one, and ends it where it took too long; called from another thread. */
        void look();
    }

    private static final long LOOK_EVERY_MS = 100;
    private static final Set<Watched> WATCHED = ConcurrentHashMap.newKeySet();
    private static Thread thread;

    private CallWatchdog() {}

    static synchronized void watch(Watched watched) {
        WATCHED.add(watched);
        if (thread == null) {
            thread = new Thread(CallWatchdog::lookAtAll, "guest-watchdog");
            thread.setDaemon(true);
            // Not the class loader of the job that happened to be first: it would live as long as the thread.
            thread.setContextClassLoader(null);
            thread.start();
        }
    }

    static synchronized void unwatch(Watched watched) {
        WATCHED.remove(watched);
        if (WATCHED.isEmpty() && thread != null) {
            thread.interrupt();
            thread = null;
        }
    }

    private static void lookAtAll() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                WATCHED.forEach(Watched::look);
                Thread.sleep(LOOK_EVERY_MS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
