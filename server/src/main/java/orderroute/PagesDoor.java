package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.apache.catalina.connector.Connector;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.web.embedded.tomcat.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * A second port that serves Tasklist, Cockpit and Admin only: it can be published, while the REST interface stays on the
 * first one, where only the programs reach it. Off unless ORDER_ROUTE_PAGES_PORT is set.
 */
@Configuration
@ConditionalOnProperty("ORDER_ROUTE_PAGES_PORT")
class PagesDoor {

  private static final String PAGES = "/operaton/";

  private final int port;

  PagesDoor(@Value("${ORDER_ROUTE_PAGES_PORT}") int port) {
    this.port = port;
  }

  @Bean
  WebServerFactoryCustomizer<TomcatServletWebServerFactory> pagesPort() {
    return server -> {
      var connector = new Connector();
      connector.setPort(port);
      if (server.getAddress() != null) {
        connector.setProperty("address", server.getAddress().getHostAddress());
      }
      server.addAdditionalTomcatConnectors(connector);
    };
  }

  @Bean
  FilterRegistrationBean<OncePerRequestFilter> pagesOnly() {
    var registration = new FilterRegistrationBean<OncePerRequestFilter>(new PagesOnly(port));
    registration.addUrlPatterns("/*");
    registration.setOrder(Ordered.HIGHEST_PRECEDENCE);
    registration.setAsyncSupported(true);
    return registration;
  }

  private static final class PagesOnly extends OncePerRequestFilter {

    private final int port;

    PagesOnly(int port) {
      this.port = port;
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
        throws ServletException, IOException {
      // Path as the container will map it: decoded, without "..", "//" and parameters.
      String path = request.getServletPath() + (request.getPathInfo() == null ? "" : request.getPathInfo());
      if (request.getLocalPort() == port && !path.startsWith(PAGES)) {
        response.setStatus(HttpServletResponse.SC_NOT_FOUND);
        return;
      }
      chain.doFilter(request, response);
    }
  }
}
