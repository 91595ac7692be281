package orderroute;

import jakarta.servlet.Filter;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.rest.security.auth.ProcessEngineAuthenticationFilter;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Every request to the REST interface has a name and a password, and passes the filters in their order. */
@Configuration
class Filters {

  private static final String REST = "/engine-rest/*";
  private static final String PAGES = "/operaton/*";
  private static final String PAGE = "/operaton/app/*";
  private static final String WEBAPP = "/operaton/api/*";

  @Bean
  FilterRegistrationBean<ProcessEngineAuthenticationFilter> authentication() {
    var filter = new FilterRegistrationBean<>(new ProcessEngineAuthenticationFilter());
    filter.addInitParameter(
        "authentication-provider",
        "org.operaton.bpm.engine.rest.security.auth.impl.HttpBasicAuthenticationProvider");
    filter.addUrlPatterns(REST);
    filter.setOrder(FilterOrder.AUTHENTICATION);
    filter.setAsyncSupported(true);
    return filter;
  }

  @Bean
  FilterRegistrationBean<Filter> technicalAccounts(ProcessEngine engine) {
    return filter(new TechnicalAccounts(engine), FilterOrder.TECHNICAL_ACCOUNTS, REST);
  }

  @Bean
  FilterRegistrationBean<Filter> onBehalfOf(ProcessEngine engine) {
    return filter(new OnBehalfOf(engine), FilterOrder.ON_BEHALF_OF, REST);
  }

  @Bean
  FilterRegistrationBean<Filter> webappDoor(ProcessEngine engine) {
    return filter(new WebappDoor(engine), FilterOrder.WEBAPP, WEBAPP);
  }

  @Bean
  FilterRegistrationBean<Filter> cookieDoor(PageCookies cookies) {
    return filter(new CookieDoor(cookies), FilterOrder.COOKIES, PAGES);
  }

  @Bean
  FilterRegistrationBean<Filter> pageNonce() {
    return filter(new PageNonce(), FilterOrder.NONCE, PAGE);
  }

  @Bean
  FilterRegistrationBean<Filter> markDoor() {
    return filter(new MarkDoor(), FilterOrder.MARK, WEBAPP);
  }

  @Bean
  FilterRegistrationBean<Filter> signOutDoor() {
    return filter(new SignOutDoor(), FilterOrder.SIGN_OUT, WEBAPP);
  }

  @Bean
  FilterRegistrationBean<Filter> largeBodies() {
    return filter(new LargeBodies(), FilterOrder.LARGE_BODIES, REST, WEBAPP);
  }

  @Bean
  FilterRegistrationBean<Filter> downloadNames() {
    return filter(new DownloadNames(), FilterOrder.DOWNLOAD_NAMES, REST, WEBAPP);
  }

  private static FilterRegistrationBean<Filter> filter(Filter filter, int order, String... paths) {
    var registration = new FilterRegistrationBean<>(filter);
    registration.addUrlPatterns(paths);
    registration.setOrder(order);
    registration.setAsyncSupported(true);
    return registration;
  }
}
