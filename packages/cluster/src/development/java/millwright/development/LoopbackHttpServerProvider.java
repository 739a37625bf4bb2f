package millwright.development;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsServer;
import com.sun.net.httpserver.spi.HttpServerProvider;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * Makes the JDK's HTTP servers listen on the loopback address where they would listen on every one: Flink's Prometheus
 * reporter has no setting for its address, and the development cluster is nobody's business on the network.
 *
 * <p>Chosen by the system property {@code com.sun.net.httpserver.HttpServerProvider}.
 */
public final class LoopbackHttpServerProvider extends HttpServerProvider {
  private final HttpServerProvider platform = new sun.net.httpserver.DefaultHttpServerProvider();

  @Override
  public HttpServer createHttpServer(InetSocketAddress address, int backlog) throws IOException {
    return platform.createHttpServer(loopback(address), backlog);
  }

  @Override
  public HttpsServer createHttpsServer(InetSocketAddress address, int backlog) throws IOException {
    return platform.createHttpsServer(loopback(address), backlog);
  }

  private static InetSocketAddress loopback(InetSocketAddress address) throws IOException {
    if (address == null || !address.getAddress().isAnyLocalAddress()) return address;
    return new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), address.getPort());
  }
}
