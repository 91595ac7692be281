package orderroute;

import org.operaton.bpm.engine.rest.security.auth.ProcessEngineAuthenticationFilter;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Nobody reaches the REST interface without a name and a password. */
@Configuration
class RestAuthentication {

  @Bean
  FilterRegistrationBean<ProcessEngineAuthenticationFilter> restAuthenticationFilter() {
    var filter = new FilterRegistrationBean<>(new ProcessEngineAuthenticationFilter());
    filter.addInitParameter(
        "authentication-provider",
        "org.operaton.bpm.engine.rest.security.auth.impl.HttpBasicAuthenticationProvider");
    filter.addUrlPatterns("/engine-rest/*");
    filter.setOrder(FilterOrder.AUTHENTICATION);
    return filter;
  }
}
