"""A scenario whose web UI asks for a login."""

from flask_login import UserMixin
from locust import constant, events

from mop_locust import MopHttpUser, task


class Person(UserMixin):
    """Whoever logs in."""

    id = "person"


@events.init.add_listener
def close(environment, **_):
    """What Locust's own documentation asks for beside --web-login."""
    ui = environment.web_ui
    ui.login_manager.user_loader(lambda _: Person())
    ui.app.config["SECRET_KEY"] = "of a test"
    ui.auth_args = {"username_password_callback": "/let-me-in"}


class BehindLogin(MopHttpUser):
    """Lists the tools."""

    scenario = "behind_login"
    wait_time = constant(0.1)

    @task
    def look(self):
        """One session."""
        with self.client.session() as session:
            session.list_tools()
